/** The pace at which live charts ask again: with each new step, and never while nobody looks. */

/** Milliseconds after the end of a step until its sample has been scraped. */
const SCRAPED = 1_000;

/** Milliseconds from `now` (Unix seconds) until the step that runs is complete. */
export function untilStep(step: number, now: number): number {
  return (step - (now % step)) * 1000 + SCRAPED;
}

/** Resolves when the next step is complete and the page can be seen, or when `signal` ends it. */
export async function nextStep(step: number, now: number, signal: AbortSignal): Promise<void> {
  await paused(untilStep(step, now), signal);
  while (document.hidden && !signal.aborted)
    await new Promise<void>((resolve) => {
      const done = () => {
        document.removeEventListener('visibilitychange', done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      document.addEventListener('visibilitychange', done);
      signal.addEventListener('abort', done);
    });
}

function paused(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
  });
}
