import { mount } from 'svelte';
import Login from './Login.svelte';
import '../base.css';

const target = document.getElementById('app');
if (target === null) throw new Error('login.html has no #app');
mount(Login, { target });
