/** Whoever uses the keyboard stays where they were when what had the focus goes: a button whose deed is done, a row. */

/** No fields to type in: on a phone they would open its keyboard. */
const PLACES = 'a[href]:not([tabindex="-1"]), button:enabled, summary, [tabindex="0"]';

const placesIn = (part: Element): HTMLElement[] =>
  [...part.querySelectorAll<HTMLElement>(PLACES)].filter((place) => place.checkVisibility());

/** Keeps the focus of everything in `main` from now on; returns how to end that. */
export function keepFocus(): () => void {
  let held: HTMLElement | null = null;
  /** The parts that it is in, from the inside out, and which of their places it is. */
  let way: { part: Element; index: number }[] = [];
  let switchedOff = false;
  const observer = new MutationObserver(check);
  const OF = { subtree: true, childList: true, attributeFilter: ['disabled'] };

  function check(): void {
    if (held === null || (document.activeElement ?? document.body) !== document.body) return;
    if (held.isConnected) {
      // Switched off while its deed was sent.
      if (switchedOff && !held.matches(':disabled')) held.focus();
      else switchedOff ||= held.matches(':disabled');
      return;
    }
    for (const { part, index } of way) {
      if (!part.isConnected) continue;
      const places = placesIn(part);
      const next = places[Math.min(index, places.length - 1)];
      if (next === undefined) continue;
      next.focus();
      return;
    }
  }

  function hold(event: FocusEvent): void {
    const target = event.target as HTMLElement;
    const main = target.closest('main');
    // In a dialog: what it goes back to stays known.
    if (main === null || target === main) return;
    held = target;
    switchedOff = false;
    way = [];
    for (let part = target.parentElement; part !== null; part = part === main ? null : part.parentElement)
      way.push({ part, index: Math.max(0, placesIn(part).indexOf(target)) });
    observer.disconnect();
    observer.observe(main, OF);
  }

  const left = () => setTimeout(check);
  document.addEventListener('focusin', hold);
  document.addEventListener('focusout', left);
  return () => {
    observer.disconnect();
    document.removeEventListener('focusin', hold);
    document.removeEventListener('focusout', left);
  };
}
