import { mount } from 'svelte';
import Root from './Shell.svelte';
import '../base.css';
import { App } from './app.svelte';

const target = document.getElementById('app');
if (target === null) throw new Error('index.html has no #app');
mount(Root, { target, props: { app: new App() } });
