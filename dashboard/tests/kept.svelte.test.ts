import { afterEach, describe, expect, it, vi } from 'vitest';
import { kept, oneOf } from '../src/lib/kept.svelte';

const WORDS = ['dark', 'light'] as const;

/** The storage of a browser, and another tab that writes to it. */
function browser(stored: Record<string, string> = {}) {
  const items = new Map(Object.entries(stored));
  const target = new EventTarget();
  vi.stubGlobal('addEventListener', target.addEventListener.bind(target));
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  });
  const told = (key: string | null, newValue: string | null) =>
    target.dispatchEvent(Object.assign(new Event('storage'), { key, newValue }));
  return { items, told };
}

describe('a choice that the browser keeps', () => {
  afterEach(() => void vi.unstubAllGlobals());

  it('is what was stored, and the default for what nobody can have chosen', () => {
    browser({ 'framefleet.scheme': 'light', 'framefleet.density': 'huge' });
    expect(kept('scheme', 'dark', oneOf(WORDS)).value).toBe('light');
    expect(kept('density', 'dark', oneOf(WORDS)).value).toBe('dark');
  });

  it('stores a change, and nothing where it is the default again', () => {
    const { items } = browser();
    const changed = vi.fn();
    const scheme = kept('scheme', 'dark', oneOf(WORDS), changed);
    scheme.value = 'light';
    expect(items.get('framefleet.scheme')).toBe('light');
    scheme.value = 'dark';
    expect(items.size).toBe(0);
    expect(changed.mock.calls).toEqual([['light'], ['dark']]);
  });

  it('follows other tabs, and when they clear everything', () => {
    const { told } = browser();
    const changed = vi.fn();
    const scheme = kept('scheme', 'dark', oneOf(WORDS), changed);
    told('framefleet.other', 'light');
    expect(scheme.value).toBe('dark');
    told('framefleet.scheme', 'light');
    expect(scheme.value).toBe('light');
    told('framefleet.scheme', '<script>');
    expect(scheme.value).toBe('dark');
    told('framefleet.scheme', 'light');
    told(null, null);
    expect(scheme.value).toBe('dark');
    expect(changed).toHaveBeenCalledTimes(4);
  });

  it('lasts as long as the page where storage is switched off', () => {
    browser();
    const refuse = () => {
      throw new DOMException('denied', 'SecurityError');
    };
    vi.stubGlobal('localStorage', { getItem: refuse, setItem: refuse, removeItem: refuse });
    const scheme = kept('scheme', 'dark', oneOf(WORDS));
    scheme.value = 'light';
    expect(scheme.value).toBe('light');
  });
});
