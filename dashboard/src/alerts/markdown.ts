/**
 * Runbooks as something to render: the parser is marked's, and what it makes of HTML stays text. Nothing here is ever
 * given to the browser as HTML.
 */

import type { Token, Tokens } from 'marked';

export type Inline =
  { kind: 'text' | 'code' | 'strong' | 'em'; text: string } | { kind: 'link'; text: string; href: string };

export type Block =
  | { kind: 'heading'; content: Inline[] }
  | { kind: 'paragraph'; content: Inline[] }
  | { kind: 'code'; text: string; language: string }
  | { kind: 'list'; ordered: boolean; items: Block[][] };

/** The page's blocks. Its title is left out: it is the alert's name. */
export async function readMarkdown(text: string): Promise<Block[]> {
  const { lexer } = await import('marked');
  return lexer(text)
    .filter((token) => !(token.type === 'heading' && (token as Tokens.Heading).depth === 1))
    .flatMap(block);
}

function block(token: Token): Block[] {
  switch (token.type) {
    case 'heading':
    case 'paragraph':
      return [{ kind: token.type, content: inline((token as Tokens.Paragraph).tokens) }];
    case 'text':
      return [{ kind: 'paragraph', content: inline((token as Tokens.Text).tokens ?? [token]) }];
    case 'code':
      return [{ kind: 'code', text: token.text as string, language: (token as Tokens.Code).lang ?? '' }];
    case 'list': {
      const { ordered, items } = token as Tokens.List;
      return [{ kind: 'list', ordered, items: items.map((item) => item.tokens.flatMap(block)) }];
    }
    case 'blockquote':
      return (token as Tokens.Blockquote).tokens.flatMap(block);
    case 'space':
    case 'hr':
    case 'def':
      return [];
    default:
      return [{ kind: 'paragraph', content: [{ kind: 'text', text: token.raw }] }];
  }
}

function inline(tokens: readonly Token[]): Inline[] {
  return tokens.map((token): Inline => {
    switch (token.type) {
      case 'codespan':
        return { kind: 'code', text: (token as Tokens.Codespan).text };
      case 'strong':
      case 'em':
        return { kind: token.type, text: (token as Tokens.Strong).text };
      case 'link': {
        const { text, href } = token as Tokens.Link;
        return { kind: 'link', text: text.replaceAll('`', ''), href };
      }
      case 'text':
      case 'escape':
        return { kind: 'text', text: (token as Tokens.Text).text };
      case 'br':
        return { kind: 'text', text: '\n' };
      default:
        return { kind: 'text', text: token.raw };
    }
  });
}

/** The runbook that a link of another leads to; `null` if it leads elsewhere. */
export const linkedRunbook = (href: string): string | null =>
  /^([A-Z][A-Za-z0-9]*)\.md$/.exec(href)?.[1] ?? null;

/** The page of the documentation that a link of a runbook leads to; `null` if it leads elsewhere. */
export const linkedDocument = (href: string): string | null => {
  const [, above, page] = /^(\.\.\/)?([\w-]+\.md(?:#[\w-]+)?)$/.exec(href) ?? [];
  if (page === undefined || linkedRunbook(href) !== null) return null;
  return above === undefined ? `docs/runbooks/${page}` : `docs/${page}`;
};

/** Whether a link leads to the web, where the browser may follow it. */
export const isWeb = (href: string): boolean => /^https?:\/\//.test(href);
