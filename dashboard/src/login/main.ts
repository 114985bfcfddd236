import { loadFirstTexts, loadTexts } from '../lib/texts';

// Modules name texts when they are loaded: first the language, then they.
await Promise.all([loadFirstTexts(), loadTexts('login')]);
await import('./start');
