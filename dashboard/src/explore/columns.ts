/** The labels that any of the series has, the metric's name first. Pure. */
export function labelColumns(series: readonly Readonly<Record<string, string>>[]): string[] {
  const names = new Set(series.flatMap((labels) => Object.keys(labels)));
  const named = names.delete('__name__');
  return [...(named ? ['__name__'] : []), ...[...names].sort()];
}
