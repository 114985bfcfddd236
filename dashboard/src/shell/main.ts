import { loadFirstTexts } from '../lib/texts';

// Modules name texts when they are loaded: first the language, then they.
await loadFirstTexts();
await import('./start');
