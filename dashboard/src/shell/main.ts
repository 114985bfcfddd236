import { loadTexts } from '../lib/locale';

// Modules name texts when they are loaded: first the language, then they.
await loadTexts();
await import('./start');
