/** Time zones to choose from. Pure. */

export interface ZoneGroup {
  region: string;
  zones: { id: string; name: string }[];
}

const OTHERS = 'Other';

/** By region, as their names have it: `Asia/Ho_Chi_Minh` is in Asia. `chosen` is among them even if it is an old name. */
export function zoneGroups(known: readonly string[], chosen: string): ZoneGroup[] {
  const ids = [...new Set([...known, 'UTC', chosen])].filter((id) => id !== '').sort();
  const groups = new Map<string, ZoneGroup>();
  for (const id of ids) {
    const [first = '', ...rest] = id.split('/');
    const region = rest.length === 0 ? OTHERS : first;
    const group = groups.get(region) ?? { region, zones: [] };
    group.zones.push({ id, name: (rest.length === 0 ? first : rest.join(', ')).replaceAll('_', ' ') });
    groups.set(region, group);
  }
  const other = groups.get(OTHERS);
  groups.delete(OTHERS);
  return other === undefined ? [...groups.values()] : [other, ...groups.values()];
}

export const knownZones = (): readonly string[] => Intl.supportedValuesOf('timeZone');
