/**
 * The server's time, as far as this page can know it, and how old a frame is.
 *
 * Browsers on walls have wrong clocks, and cameras too. Local time is `performance.now()`, which nobody can set;
 * the server's is that plus an offset, corrected with every answer that carries the server's time.
 */

/** Milliseconds of a clock that only goes forward. */
export type Monotonic = number;

export class ServerClock {
  /** Unix seconds at local 0, or `null` before the server has told its time. */
  #offset: number | null = null;

  constructor(
    private readonly local: () => Monotonic = () => performance.now(),
    private readonly wall: () => number = () => Date.now() / 1000,
  ) {}

  /**
   * Corrects the offset: the server said `time` (Unix seconds) somewhere between `asked` and `answered`.
   * The middle of the two is the best guess.
   */
  correct(time: number, asked: Monotonic, answered: Monotonic = asked): void {
    this.#offset = time - (asked + answered) / 2 / 1000;
  }

  /** Unix seconds on the server's clock; this machine's own until the server has told its time. */
  now(): number {
    return this.#offset === null ? this.wall() : this.#offset + this.local() / 1000;
  }
}

/** The age of a frame in seconds, never negative. */
export function frameAge(
  frame: { captured: number; arrived: Monotonic },
  serverNow: number,
  localNow: Monotonic,
): number {
  // A camera whose clock is ahead would look fresh for ever by its capture time alone: the time since the frame
  // arrived here bounds its age from below.
  return Math.max(0, serverNow - frame.captured, (localNow - frame.arrived) / 1000);
}
