/**
 * An editor for one PromQL expression: colours, completion of metrics and labels, faults underlined.
 *
 * It lives in a shadow root: there CodeMirror adopts its style sheets instead of writing <style> elements, which the
 * gateway's content security policy refuses (docs/adr/0054-charts-and-the-metrics-explorer.md).
 */

import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { HighlightStyle, bracketMatching, syntaxHighlighting } from '@codemirror/language';
import { type Diagnostic, setDiagnostics } from '@codemirror/lint';
import { EditorState, Prec } from '@codemirror/state';
import { EditorView, keymap, placeholder } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { PromQLExtension } from '@prometheus-io/codemirror-promql';
import type { ParseError } from '../lib/charts/answer';

export interface Editor {
  text(): string;
  /** Replaces the whole expression. */
  write(text: string): void;
  /** Underlines the place, and the rest of its line; `null`: no place. */
  fault(error: ParseError | null): void;
  focus(): void;
  destroy(): void;
}

export interface EditorOptions {
  text: string;
  /** Prometheus, as the gateway shows it: `/api/prometheus`. */
  url: string;
  onrun(): void;
  onchange(text: string): void;
}

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], color: 'var(--series-2)' },
  { tag: tags.function(tags.variableName), color: 'var(--series-1)' },
  { tag: [tags.string, tags.number], color: 'var(--series-3)' },
  { tag: tags.labelName, color: 'var(--series-4)' },
  { tag: tags.comment, color: 'var(--text-soft)' },
  { tag: tags.invalid, color: 'var(--bad)' },
]);

const look = EditorView.theme({
  '&': { color: 'var(--value)', backgroundColor: 'var(--raised)', fontSize: 'var(--type-3)' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '1px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.6' },
  '.cm-content': { padding: 'var(--space-2) 0', caretColor: 'var(--value)', minHeight: '40px' },
  '.cm-line': { padding: '0 var(--space-3)' },
  '.cm-placeholder': { color: 'var(--text-soft)' },
  '.cm-cursor': { borderLeftColor: 'var(--value)' },
  '.cm-matchingBracket': { backgroundColor: 'var(--raised-high)', outline: '1px solid var(--line-strong)' },
  '.cm-tooltip': {
    border: '1px solid var(--line-strong)',
    borderRadius: 'var(--radius-small)',
    backgroundColor: 'var(--raised-high)',
    color: 'var(--text)',
    boxShadow: 'var(--shadow)',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', maxHeight: '280px' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '2px var(--space-2)' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': {
    backgroundColor: 'var(--accent)',
    color: 'var(--on-accent)',
  },
  '.cm-completionMatchedText': { textDecoration: 'none', fontWeight: '700' },
  '.cm-completionDetail': { color: 'inherit', opacity: '0.8', fontStyle: 'normal' },
  '.cm-completionIcon': { display: 'none' },
  '.cm-completionInfo': { maxWidth: '320px', padding: 'var(--space-2)', fontFamily: 'var(--sans)' },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--bad)' },
  '.cm-lintRange-error': {
    backgroundImage: 'none',
    textDecoration: 'underline wavy var(--bad)',
    textUnderlineOffset: '4px',
  },
});

/** What the gateway's proxy does not have: Prometheus' flags, asked for once by the completion. */
const NO_FLAGS = { status: 'success', data: {} };

function fetching(input: RequestInfo, init?: RequestInit): Promise<Response> {
  const path = input instanceof Request ? input.url : input;
  if (path.includes('/status/flags')) return Promise.resolve(Response.json(NO_FLAGS));
  return fetch(input, init);
}

export function editorIn(host: HTMLElement, options: EditorOptions): Editor {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
  const promql = new PromQLExtension().setComplete({
    remote: {
      url: options.url,
      httpMethod: 'GET',
      fetchFn: fetching,
      // Completion is a convenience: what it cannot have, it goes without.
      httpErrorHandler: () => undefined,
    },
    maxMetricsMetadata: 10_000,
  });
  const run = () => (options.onrun(), true);
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: options.text,
      extensions: [
        look,
        syntaxHighlighting(colours),
        history(),
        bracketMatching(),
        closeBrackets(),
        autocompletion(),
        // Its own linter would take our marks away: Prometheus itself says where a mistake is.
        promql.activateLinter(false).asExtension(),
        EditorView.lineWrapping,
        placeholder('A PromQL expression; Enter runs it'),
        EditorView.contentAttributes.of({ 'aria-label': 'PromQL expression' }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) options.onchange(update.state.doc.toString());
        }),
        // An open list of completions takes Enter first; Shift makes a new line.
        Prec.high(keymap.of(completionKeymap)),
        keymap.of([
          { key: 'Enter', run },
          { key: 'Mod-Enter', run },
          ...closeBracketsKeymap,
          ...historyKeymap,
          ...defaultKeymap,
        ]),
      ],
    }),
  });

  return {
    text: () => view.state.doc.toString(),
    write(text) {
      if (text === view.state.doc.toString()) return;
      view.dispatch({
        changes: { from: 0, to: view.state.doc.length, insert: text },
        selection: { anchor: text.length },
      });
    },
    fault(error) {
      const found: Diagnostic[] = [];
      if (error !== null && error.line <= view.state.doc.lines) {
        const line = view.state.doc.line(error.line);
        // At the end there is nothing to underline but the character before.
        const from = Math.min(line.from + error.column - 1, Math.max(line.from, line.to - 1));
        found.push({ from, to: Math.max(from, line.to), severity: 'error', message: error.words });
      }
      view.dispatch(setDiagnostics(view.state, found));
    },
    focus: () => view.focus(),
    destroy() {
      view.destroy();
      promql.destroy();
    },
  };
}
