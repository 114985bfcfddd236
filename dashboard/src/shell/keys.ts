/** Two keys one after the other, such as `g e`. Pure. */

/** Milliseconds within which the second key must come. */
const PATIENCE = 1500;

export class Sequence {
  #first: { key: string; at: number } | null = null;

  constructor(private readonly leader: string) {}

  /** True if this key was taken for the first of two. */
  begins(key: string, at: number): boolean {
    if (key !== this.leader || this.#pending(at)) return false;
    this.#first = { key, at };
    return true;
  }

  /** The second key, if this is one; `null` else. */
  second(key: string, at: number): string | null {
    const pending = this.#pending(at);
    this.#first = null;
    return pending ? key : null;
  }

  #pending(at: number): boolean {
    return this.#first !== null && at - this.#first.at < PATIENCE;
  }
}
