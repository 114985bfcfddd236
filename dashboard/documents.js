/**
 * A plugin of Vite that makes pages of the documentation for the gateway to serve below /docs/: whoever has only the
 * browser can open them. documents.html is their frame. Links lead from page to page; what lies in the checkout only
 * (a test, a configuration) is named and not linked.
 */

import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path/posix';
import { fileURLToPath } from 'node:url';
import { Marked } from 'marked';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Files that are pages, beside those of the folders. */
const SINGLE = ['README.md', 'CHANGELOG.md', 'CODE_OF_CONDUCT.md', 'CONTRIBUTING.md', 'SECURITY.md'];
const FOLDERS = ['docs', 'docs/adr', 'docs/runbooks', 'examples'];
const PICTURES = /\.(png|svg)$/;
/** A page of so many chapters lists them at its top; no runbook has that many. */
const LISTED = 6;

/** @typedef {{ title: string, body: string, pictures: string[] }} Page */

/** The Markdown files that become pages, by their path in the checkout. @param {string} root */
export function sources(root = ROOT) {
  const inside = FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .sort()
      .map((name) => join(folder, name)),
  );
  return new Map([...SINGLE, ...inside].map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}

/** Where a file of the checkout is served; those of its root have a folder, lest SECURITY.md meet docs/security.md. @param {string} path */
export function served(path) {
  const place = path.replace(/\.md$/, '.html');
  if (place.startsWith('docs/')) return place;
  return join('docs', place.includes('/') ? place : `project/${place}`);
}

/** @param {string} text */
const escaped = (text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** The anchor of a heading, as GitHub makes it. @param {string} text */
const anchorOf = (text) =>
  text
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_\- ]/gu, '')
    .trim()
    .replaceAll(' ', '-');

/** Width and height of a PNG, which keep its place while it is loaded. @param {Buffer} file */
const size = (file) =>
  file.toString('latin1', 1, 4) === 'PNG'
    ? ` width="${file.readUInt32BE(16)}" height="${file.readUInt32BE(20)}"`
    : '';

/**
 * One file as a page.
 * @param {string} path @param {string} text @param {ReadonlySet<string>} known paths of all pages @param {string} [root]
 * @returns {Page}
 */
export function page(path, text, known, root = ROOT) {
  const here = dirname(served(path));
  /** @type {string[]} */
  const pictures = [];
  /** @type {{ anchor: string, words: string }[]} */
  const chapters = [];
  /** @type {Map<string, number>} */
  const anchors = new Map();
  let title = path;

  const marked = new Marked({
    renderer: {
      heading({ tokens, depth, text: raw }) {
        const words = this.parser.parseInline(tokens);
        const plain = anchorOf(raw);
        const before = anchors.get(plain) ?? 0;
        anchors.set(plain, before + 1);
        const anchor = before === 0 ? plain : `${plain}-${before}`;
        if (depth === 1) title = this.parser.parseInline(tokens, this.parser.textRenderer);
        if (depth === 2) chapters.push({ anchor, words: words.replace(/<\/?a\b[^>]*>/g, '') });
        return `<h${depth} id="${escaped(anchor)}">${words}</h${depth}>\n`;
      },
      link({ href, tokens }) {
        const words = this.parser.parseInline(tokens);
        if (/^https?:/.test(href))
          return `<a href="${escaped(href)}" target="_blank" rel="noreferrer">${words}</a>`;
        if (/^(#|mailto:)/.test(href)) return `<a href="${escaped(href)}">${words}</a>`;
        const [file = '', anchor] = href.split('#');
        const target = join(dirname(path), file);
        const found = [target, join(target, 'index.md')].find((each) => known.has(each));
        if (found === undefined) return `<span class="file" title="${escaped(target)}">${words}</span>`;
        const to = relative(here, served(found));
        return `<a href="${escaped(anchor === undefined ? to : `${to}#${anchor}`)}">${words}</a>`;
      },
      image({ href, text: alt }) {
        const file = join(dirname(path), href);
        if (!PICTURES.test(file)) throw new Error(`${path}: ${href} is no picture that pages may show`);
        pictures.push(file);
        const from = escaped(relative(here, served(file)));
        return `<img src="${from}" alt="${escaped(alt)}"${size(readFileSync(join(root, file)))} loading="lazy">`;
      },
      table(token) {
        /** @param {import('marked').Tokens.TableCell[]} cells @param {string} tag */
        const row = (cells, tag) =>
          `<tr>${cells
            .map(
              ({ tokens, align }) =>
                `<${tag}${align ? ` align="${align}"` : ''}>${this.parser.parseInline(tokens)}</${tag}>`,
            )
            .join('')}</tr>`;
        const head = token.header.some(({ text: words }) => words !== '');
        return (
          `<div class="table" tabindex="0"><table>${head ? `<thead>${row(token.header, 'th')}</thead>` : ''}` +
          `<tbody>${token.rows.map((cells) => row(cells, 'td')).join('\n')}</tbody></table></div>\n`
        );
      },
      code({ text: code }) {
        return `<pre tabindex="0"><code>${escaped(code)}</code></pre>\n`;
      },
      html({ text: raw }) {
        return raw.startsWith('<!--') ? '' : escaped(raw);
      },
    },
  });
  const body = /** @type {string} */ (marked.parse(text));
  const list =
    chapters.length < LISTED
      ? ''
      : `<nav aria-label="On this page"><ul>${chapters
          .map(({ anchor, words }) => `<li><a href="#${escaped(anchor)}">${words}</a></li>`)
          .join('')}</ul></nav>\n`;
  return { title, body: body.replace('</h1>\n', (end) => end + list), pictures };
}

/** A page that lists those of a folder that has none to begin with. @param {Map<string, string>} texts @param {string} folder */
function listing(texts, folder) {
  const lines = [...texts]
    .filter(([path]) => dirname(path) === folder)
    .map(([path, text]) => `- [${/^# (.+)$/m.exec(text)?.[1] ?? path}](${path.slice(folder.length + 1)})`);
  return ['# Decisions', '', ...lines, ''].join('\n');
}

/** All files below `docs/` of the gateway, by where they are served. @param {string} frame @param {string} [root] */
export function documents(frame, root = ROOT) {
  const texts = sources(root);
  texts.set('docs/adr/index.md', listing(texts, 'docs/adr'));
  const known = new Set(texts.keys());
  /** @type {Map<string, string | Buffer>} */
  const files = new Map();
  for (const [path, text] of texts) {
    const { title, body, pictures } = page(path, text, known, root);
    const place = served(path);
    const up = relative(dirname(place), '.');
    const parts = {
      TITLE: title,
      INDEX: relative(dirname(place), 'docs/index.html'),
      HOME: `${up}/`,
      BODY: body,
    };
    files.set(
      place,
      frame
        .replace(/\b(href|src)="\.?\//g, `$1="${up}/`)
        .replace(/%(TITLE|INDEX|HOME|BODY)%/g, (_, name) => parts[/** @type {keyof typeof parts} */ (name)]),
    );
    for (const picture of pictures) files.set(served(picture), readFileSync(join(root, picture)));
  }
  return files;
}

/** @returns {import('vite').Plugin} */
export function documentation() {
  let frame = '';
  return {
    name: 'documentation',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const built = bundle['documents.html'];
        if (built?.type !== 'asset')
          this.error('documents.html, the frame of the documentation, was not built');
        frame = String(built.source);
        delete bundle['documents.html'];
      },
    },
    // Not as files of the bundle: Vite would print a line for each of them.
    writeBundle({ dir = 'dist' }) {
      for (const [place, content] of documents(frame)) {
        mkdirSync(join(dir, dirname(place)), { recursive: true });
        writeFileSync(join(dir, place), content);
      }
    },
  };
}
