import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { wuchale } from 'wuchale/vite';
import { documentation } from './documents.js';
import { sizes } from './sizes.js';

const page = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const gateway = process.env['GATEWAY_URL'] ?? 'http://127.0.0.1:8080';

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
    include: ['tests/**/*.test.ts'],
    server: { deps: { inline: ['svelte', 'esm-env'] } },
    testTransformMode: { web: ['**/*.svelte.test.ts'] },
  },
});
