/**
 * A count with the word in the form that it asks for: `plural(3, ['# camera', '# cameras'])`. The build replaces the forms by
 * the language's own, which may be one or many, together with the rule that picks among them.
 */

import { exactly } from './format';

const english = (count: number): number => (count === 1 ? 0 : 1);

export function plural(
  count: number,
  forms: readonly string[],
  rule: (count: number) => number = english,
): string {
  const form = forms[rule(count)] ?? forms[forms.length - 1] ?? '';
  return form.replace('#', exactly(count));
}
