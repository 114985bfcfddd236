import { dirname, join } from 'node:path/posix';
import { describe, expect, it } from 'vitest';
import { documents, page, served } from '../documents.js';
import { documentHref, withDocuments } from '../src/lib/documents';

const FRAME = '<link href="./assets/a.css"><title>%TITLE%</title><a href="%INDEX%"></a><main>%BODY%</main>';
const made = (text: string, path = 'docs/a.md', known = ['docs/a.md']) =>
  page(path, text, new Set(known)).body;

describe('the pages of the documentation', () => {
  it('lead to each other, to their pictures and to headings that are there', () => {
    const files = documents(FRAME);
    expect(files.has('docs/index.html')).toBe(true);
    const broken: string[] = [];
    for (const [place, content] of files) {
      if (!place.endsWith('.html')) continue;
      const text = content.toString();
      for (const [, to = ''] of text.matchAll(/\b(?:href|src)="([^"]*)"/g)) {
        if (/^(https?|mailto):/.test(to) || to.includes('assets/')) continue;
        const [file = '', anchor] = to.split('#');
        const target = file === '' ? place : join(dirname(place), file);
        const found = files.get(target)?.toString();
        if (found === undefined || (anchor !== undefined && !found.includes(`id="${anchor}"`)))
          broken.push(`${place}: ${to}`);
      }
    }
    expect(broken).toEqual([]);
  });

  it('find the frame’s files from where they are', () => {
    const files = documents(FRAME);
    expect(files.get('docs/dashboard.html')).toContain('href="../assets/a.css"><title>The dashboard<');
    expect(files.get('docs/runbooks/index.html')).toContain('href="../../assets/a.css"');
  });

  it('name what lies in the checkout only, and do not link it', () => {
    expect(made('[its test](../tests/unit/test_dlq.py)')).toBe(
      '<p><span class="file" title="tests/unit/test_dlq.py">its test</span></p>\n',
    );
  });

  it('have no HTML of their own, and nothing that the policy of the gateway refuses', () => {
    expect(made('a <img src=x onerror=alert(1)> b')).not.toContain('<img');
    expect(made('<script>alert(1)</script>')).not.toContain('<script');
    expect(made('| a | b |\n| :- | -: |\n| 1 | 2 |')).not.toContain('style=');
    expect(made('[x](javascript:alert(1))')).not.toContain('href');
  });

  it('give a heading that comes twice two anchors', () => {
    expect(made('## A b\n\n## A `b`')).toContain('id="a-b-1"');
  });

  it('do not mistake SECURITY.md for docs/security.md, where names have no case', () => {
    expect(served('SECURITY.md').toLowerCase()).not.toBe(served('docs/security.md'));
  });
});

describe('what names a file of the documentation', () => {
  it('leads to its page', () => {
    expect(documentHref('docs/models.md#switching', '/fleet')).toBe('/fleet/docs/models.html#switching');
    expect(withDocuments('Add it (docs/models.md), or leave `model` out.')).toEqual([
      { text: 'Add it (', href: null },
      { text: 'docs/models.md', href: '/docs/models.html' },
      { text: '), or leave `model` out.', href: null },
    ]);
    expect(withDocuments('Nothing.')).toEqual([{ text: 'Nothing.', href: null }]);
  });
});
