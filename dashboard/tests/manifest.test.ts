import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const manifest = JSON.parse(readFileSync('public/manifest.webmanifest', 'utf8')) as {
  start_url: string;
  icons: { src: string; sizes: string; purpose: string }[];
};

it('has its icons, and lies below whatever path the gateway does', () => {
  expect(manifest.start_url).toBe('./');
  expect(manifest.icons.filter(({ src }) => src.startsWith('/') || !existsSync(`public/${src}`))).toEqual([]);
  expect(manifest.icons.map(({ sizes }) => sizes)).toEqual(expect.arrayContaining(['192x192', '512x512']));
  expect(manifest.icons.map(({ purpose }) => purpose)).toContain('maskable');
});
