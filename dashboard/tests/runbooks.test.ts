import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  type Block,
  type Inline,
  isWeb,
  linkedDocument,
  linkedRunbook,
  readMarkdown,
} from '../src/alerts/markdown';

const FOLDER = new URL('../../docs/runbooks/', import.meta.url);
const words = (content: readonly Inline[]) => content.map(({ text }) => text).join('');
const said = (blocks: readonly Block[]): string =>
  blocks
    .map((block) =>
      block.kind === 'list'
        ? block.items.map(said).join('\n')
        : block.kind === 'code'
          ? block.text
          : words(block.content),
    )
    .join('\n');

describe('runbooks', () => {
  it('are read without their title, which is the alert', async () => {
    const blocks = await readMarkdown(
      '# FramefleetX\n\n## What it means\n\nSee `up`.\n\n```sh\nmake up\n```\n',
    );
    expect(blocks).toEqual([
      { kind: 'heading', content: [{ kind: 'text', text: 'What it means' }] },
      {
        kind: 'paragraph',
        content: [
          { kind: 'text', text: 'See ' },
          { kind: 'code', text: 'up' },
          { kind: 'text', text: '.' },
        ],
      },
      { kind: 'code', text: 'make up', language: 'sh' },
    ]);
  });

  it('have no HTML of their own: it stays text', async () => {
    const blocks = await readMarkdown('a <img src=x onerror=alert(1)> b\n\n<script>alert(1)</script>\n');
    expect(said(blocks)).toContain('<img src=x onerror=alert(1)>');
    expect(said(blocks)).toContain('<script>alert(1)</script>');
    expect(blocks.every(({ kind }) => kind === 'paragraph')).toBe(true);
  });

  it('lead to each other, to the documentation and to the web, and nowhere else', () => {
    expect(linkedRunbook('FramefleetTargetDown.md')).toBe('FramefleetTargetDown');
    expect(linkedRunbook('../troubleshooting.md#x')).toBeNull();
    expect(linkedDocument('../troubleshooting.md#x')).toBe('docs/troubleshooting.md#x');
    expect(linkedDocument('index.md')).toBe('docs/runbooks/index.md');
    expect(linkedDocument('FramefleetTargetDown.md')).toBeNull();
    expect(linkedDocument('../../deploy/x.yml')).toBeNull();
    expect(isWeb('https://prometheus.io/docs/')).toBe(true);
    expect(isWeb('javascript:alert(1)')).toBe(false);
  });

  it('are all read to the last word that stands in them', async () => {
    for (const file of readdirSync(FOLDER).filter((name) => name.startsWith('Framefleet'))) {
      const text = readFileSync(new URL(file, FOLDER), 'utf8');
      const blocks = await readMarkdown(text);
      const headings = blocks.filter(({ kind }) => kind === 'heading');
      expect(headings, file).toHaveLength(5);
      const commands = [...text.matchAll(/^```\w*\n([\s\S]*?)^```/gm)].map(([, block]) => block?.trimEnd());
      const shown = said(blocks);
      for (const each of commands) expect(shown, file).toContain(each);
    }
  });
});
