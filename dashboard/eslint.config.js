import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import { defineConfig } from 'eslint/config';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

const FEATURES = [
  'alerts',
  'cameras',
  'cluster',
  'events',
  'explore',
  'jobs',
  'login',
  'metrics',
  'models',
  'nodes',
  'overview',
  'queues',
  'settings',
  'wall',
];

/** What a folder's modules may not import. Pages put together; what is inside a folder knows its own and lib/. */
const notFrom = (/** @type {string[]} */ folders, /** @type {string} */ message) => ({
  // A page's place.ts is its public address: others link to it.
  group: folders.flatMap((folder) => [`../${folder}/*`, `!../${folder}/place`]),
  message,
});
const forbid = (
  /** @type {string[]} */ files,
  /** @type {string[]} */ folders,
  /** @type {string} */ message,
) => ({
  files,
  rules: { 'no-restricted-imports': ['error', { patterns: [notFrom(folders, message)] }] },
});

export default defineConfig(
  { ignores: ['dist/', 'src/lib/contract.gen.ts', 'src/locales/.wuchale/', 'src/locales/data.js'] },
  js.configs.recommended,
  ts.configs.recommendedTypeChecked,
  svelte.configs.recommended,
  svelte.configs.prettier,
  {
    languageOptions: {
      globals: globals.browser,
      parserOptions: { projectService: true, extraFileExtensions: ['.svelte'] },
    },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // TypeScript's noUnusedLocals knows better: `??=` reads.
      'no-unused-private-class-members': 'off',
      // Collections here are replaced, not changed, or are no state at all: a reactive one for each camera is slow.
      'svelte/prefer-svelte-reactivity': 'off',
      // There are no stores here, and looking for them costs a tenth of the time.
      'svelte/require-store-reactive-access': 'off',
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
  },
  {
    // ESLint does not know the types of what a component is given. svelte-check does, and checks them.
    files: ['**/*.svelte'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    files: ['**/*.js'],
    extends: [ts.configs.disableTypeChecked],
    languageOptions: { globals: globals.node, parserOptions: { projectService: false } },
  },
  forbid(
    ['src/lib/*'],
    [...FEATURES, 'shell'],
    'lib/ is what all share: it knows no feature and not the shell.',
  ),
  ...FEATURES.map((feature) => ({
    ...forbid(
      [`src/${feature}/*`],
      [...FEATURES.filter((other) => other !== feature), 'shell'],
      'Features do not know each other, nor the shell. What two share is in lib/; a page puts them together.',
    ),
    ignores: ['src/*/*Page.svelte'],
  })),
  { files: ['public/**'], languageOptions: { globals: globals.browser } },
);
