/** Milliseconds without a hand after which nobody is taken to be there. */
const PATIENCE = 3_000;

/** Whether nobody has moved the pointer, touched the screen or pressed a key lately. For use in a component. */
export function idleness(): { readonly value: boolean } {
  let idle = $state(false);
  $effect(() => {
    let timer = setTimeout(() => (idle = true), PATIENCE);
    const stir = () => {
      idle = false;
      clearTimeout(timer);
      timer = setTimeout(() => (idle = true), PATIENCE);
    };
    const kinds = ['pointermove', 'pointerdown', 'keydown', 'wheel'] as const;
    for (const kind of kinds) addEventListener(kind, stir, { passive: true });
    return () => {
      clearTimeout(timer);
      for (const kind of kinds) removeEventListener(kind, stir);
    };
  });
  return {
    get value() {
      return idle;
    },
  };
}
