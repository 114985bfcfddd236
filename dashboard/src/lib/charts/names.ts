/** Names of series: what tells them apart, and the whole of it. Pure. */

type Labels = Readonly<Record<string, string>>;

/** The series as PromQL writes it: `up{job="gateway"}`. */
export function fullName(labels: Labels): string {
  const { __name__: metric = '', ...others } = labels;
  const pairs = Object.entries(others)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return pairs.length === 0 && metric !== '' ? metric : `${metric}{${pairs.join(', ')}}`;
}

/**
 * For each series, the values of the labels that are not the same in all: short enough for a legend. A single one has the
 * value of its only label; `alone` is its name where it has none.
 */
export function shortNames(series: readonly Labels[], alone: string): string[] {
  const only = series.length === 1 ? series[0] : undefined;
  if (only !== undefined) {
    const { __name__: metric, ...labels } = only;
    const values = Object.values(labels);
    if (metric === undefined && values.length < 2) return [values[0] ?? alone];
    return [fullName(only)];
  }
  const names = [...new Set(series.flatMap((labels) => Object.keys(labels)))].sort();
  const telling = names.filter((name) => new Set(series.map((labels) => labels[name] ?? '')).size > 1);
  return series.map((labels) => {
    const has = telling.filter((name) => (labels[name] ?? '') !== '');
    if (has.length === 0) return telling.length === 1 ? `no ${telling[0] ?? ''}` : fullName(labels);
    if (telling.length === 1) return labels[telling[0] ?? ''] ?? '';
    return has.map((name) => (name === '__name__' ? labels[name] : `${name} ${labels[name]}`)).join(' · ');
  });
}
