import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { wuchale } from 'wuchale/vite';
import { documentation } from './documents.js';
import { sizes } from './sizes.js';

const page = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const gateway = process.env['GATEWAY_URL'] ?? 'http://127.0.0.1:8080';
/** Tests with effects. */
const EFFECTS = 'tests/**/*.svelte.test.ts';

export default defineConfig({
  // Below whatever path a proxy puts the gateway: code and fonts name each other relatively.
  base: './',
  // Tests read the texts as they stand in the code.
  plugins: [...(process.env['VITEST'] ? [] : [wuchale()]), svelte(), documentation(), sizes()],
  build: {
    target: 'es2022',
    // The gateway's content security policy refuses data: URLs for fonts and scripts: nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: { index: page('index.html'), login: page('login.html'), documents: page('documents.html') },
    },
  },
  server: {
    // The gateway accepts its own origin only.
    proxy: {
      '/api': { target: gateway, changeOrigin: true, headers: { Origin: gateway } },
      '/ws': { target: gateway, changeOrigin: true, headers: { Origin: gateway }, ws: true },
      '/readyz': gateway,
      '/docs/': gateway,
      '^/login(\\?|$)': { target: gateway, bypass: () => '/login.html' },
    },
  },
  // For tests with effects: Svelte as browsers have it.
  ...(process.env['VITEST'] ? { resolve: { conditions: ['browser', 'module', 'import', 'default'] } } : {}),
  test: {
    environment: 'node',
    server: { deps: { inline: ['svelte', 'esm-env'] } },
    // A process for each file would load the same modules again: five times the work. So each file leaves nothing behind.
    isolate: false,
    projects: [
      { extends: true, test: { name: 'modules', include: ['tests/**/!(*.svelte).test.ts'] } },
      {
        extends: true,
        test: { name: 'effects', include: [EFFECTS], testTransformMode: { web: [`**/${EFFECTS}`] } },
      },
    ],
  },
});
