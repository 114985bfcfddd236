/** Keeps the screen on while the page is seen, where the browser can. Returns a function that ends it. */
export function keepAwake(): () => void {
  let lock: WakeLockSentinel | null = null;
  let ended = false;
  // The browser takes the lock back whenever the page is hidden; older ones, and plain HTTP, have none at all.
  const ask = async () => {
    if (document.hidden || !('wakeLock' in navigator)) return;
    try {
      const granted = await navigator.wakeLock.request('screen');
      if (ended) await granted.release();
      else lock = granted;
    } catch {
      // A low battery, or a policy: the screen does what it does.
    }
  };
  const again = () => void ask();
  document.addEventListener('visibilitychange', again);
  again();
  return () => {
    ended = true;
    document.removeEventListener('visibilitychange', again);
    void lock?.release();
  };
}
