/** What of a rule's expression is drawn: what it compares, and with which number. The parser comes with the first. */

import type { SyntaxNode } from '@lezer/common';

export interface Compared {
  /** PromQL of the values. */
  expr: string;
  /** The number that they are compared with; `null` where it is none, but other values, or nothing at all. */
  threshold: number | null;
  /** `>`, `==` and so on. */
  operator: string | null;
}

const COMPARISONS: Record<string, string> = {
  Gtr: '>',
  Gte: '>=',
  Lss: '<',
  Lte: '<=',
  Eql: '==',
  Neq: '!=',
};
/** `5 < a` says the same as `a > 5`. */
const TURNED: Record<string, string> = { '>': '<', '>=': '<=', '<': '>', '<=': '>=', '==': '==', '!=': '!=' };

/** The parts of the expression that each alone can fire: one, or several with `or` between them. */
export async function compared(expression: string): Promise<Compared[]> {
  const { parser } = await import('@prometheus-io/lezer-promql');
  const tree = parser.parse(expression);
  let broken = false;
  tree.iterate({ enter: ({ type }) => void (broken ||= type.isError) });
  const root = tree.topNode.firstChild;
  return broken || root === null
    ? [{ expr: expression, threshold: null, operator: null }]
    : parts(root, expression);
}

function parts(node: SyntaxNode, text: string): Compared[] {
  if (node.name === 'ParenExpr') {
    const inner = node.firstChild;
    if (inner !== null) return parts(inner, text);
  }
  const whole = { expr: text.slice(node.from, node.to).trim(), threshold: null, operator: null };
  if (node.name !== 'BinaryExpr') return [whole];
  const [left, right] = [node.firstChild, node.lastChild];
  if (left === null || right === null) return [whole];
  if (node.getChild('Or') !== null) return [...parts(left, text), ...parts(right, text)];
  // What stands behind `and` and `unless` says when the alert holds, not how much is too much.
  if (node.getChild('And') !== null || node.getChild('Unless') !== null) return parts(left, text);
  const name = Object.keys(COMPARISONS).find((each) => node.getChild(each) !== null);
  const operator = name === undefined ? undefined : COMPARISONS[name];
  if (operator === undefined) return [whole];
  const of = (each: SyntaxNode) => text.slice(each.from, each.to).trim();
  const [first, second] = [constant(left, text), constant(right, text)];
  if (second !== null) return [{ expr: of(left), threshold: second, operator }];
  if (first !== null) return [{ expr: of(right), threshold: first, operator: TURNED[operator] ?? operator }];
  return [{ expr: of(left), threshold: null, operator: null }];
}

/** The value of `5`, `-0.5`, `5 * 60`; `null` for whatever depends on metrics. */
function constant(node: SyntaxNode, text: string): number | null {
  const [first, last] = [node.firstChild, node.lastChild];
  switch (node.name) {
    case 'NumberDurationLiteral': {
      const value = Number(text.slice(node.from, node.to).replaceAll('_', ''));
      return Number.isFinite(value) ? value : null;
    }
    case 'ParenExpr':
      return first === null ? null : constant(first, text);
    case 'UnaryExpr': {
      const value = last === null ? null : constant(last, text);
      return value === null ? null : text[node.from] === '-' ? -value : value;
    }
    case 'BinaryExpr': {
      const [a, b] = [first && constant(first, text), last && constant(last, text)];
      if (a === null || b === null) return null;
      if (node.getChild('Mul')) return a * b;
      if (node.getChild('Div')) return b === 0 ? null : a / b;
      if (node.getChild('Add')) return a + b;
      return node.getChild('Sub') ? a - b : null;
    }
    default:
      return null;
  }
}
