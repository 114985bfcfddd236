import { expect, it } from 'vitest';
import { NOT_FOUND, PAGES, pageAt } from '../src/shell/pages';

it('has every name, path and key once', () => {
  for (const field of ['name', 'path', 'title', 'key'] as const) {
    const values = PAGES.map((page) => page[field]).filter((value) => value !== null);
    expect(new Set(values).size, field).toBe(values.length);
  }
});

it('finds each page at its path, and none elsewhere', () => {
  for (const page of PAGES) expect(pageAt(page.path.replace('{id}', 'gate-3'))).toBe(page);
  expect(pageAt('/elsewhere')).toBe(NOT_FOUND);
  expect(pageAt('/events/elsewhere')).toBe(NOT_FOUND);
});
