/** The documentation's pages, which the gateway serves below /docs/ (documents.js makes them). Pure. */

import { BASE } from './base';

/** Where a file of the documentation is to be read: `docs/models.md#switching`, or a path below it. */
export function documentHref(path: string, base = BASE): string {
  const [file = '', anchor] = path.replace(/^docs\//, '').split('#');
  const page = `${base}/docs/${file.replace(/\.md$/, '.html')}`;
  return anchor === undefined ? page : `${page}#${anchor}`;
}

/** A sentence in parts: those that name a file of the documentation have where it is to be read. */
export function withDocuments(sentence: string): { text: string; href: string | null }[] {
  return sentence
    .split(/(\bdocs\/[\w/-]+\.md(?:#[\w-]+)?)/)
    .map((text, index) => ({ text, href: index % 2 === 1 ? documentHref(text) : null }))
    .filter(({ text }) => text !== '');
}
