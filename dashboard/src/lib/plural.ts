/**
 * A count with the word in the form that it asks for: `plural(3, ['# camera', '# cameras'])`. The build replaces the forms by
 * the language's own, which may be one or many, together with the rule that picks among them.
 */

import { NONE, exactly } from './format';

const english = (count: number): number => (count === 1 ? 0 : 1);

/** `–` stands for a count that is not known. A language of one form gives that alone. */
export function plural(
  count: number | null | undefined,
  forms: readonly string[] | string,
  rule: (count: number) => number = english,
): string {
  const known = count !== null && count !== undefined && Number.isFinite(count);
  const form =
    typeof forms === 'string' ? forms : (forms[rule(known ? count : 0)] ?? forms[forms.length - 1] ?? '');
  return form.replace('#', known ? exactly(count) : NONE);
}
