/** Chooses the form of a word by a number, and writes the number where the form has `#`. Pure. */

import { exactly } from './format';

const RULES = new Intl.PluralRules('en');
const ORDER = ['zero', 'one', 'two', 'few', 'many', 'other'].filter((category) =>
  (RULES.resolvedOptions().pluralCategories as string[]).includes(category),
);

/** `plural(2, ['# camera', '# cameras'])` is `2 cameras`. The forms are in the order of the language's categories. */
export function plural(number: number, forms: readonly string[]): string {
  const form = forms[ORDER.indexOf(RULES.select(number))] ?? forms.at(-1) ?? '';
  return form.replaceAll('#', exactly(number));
}
