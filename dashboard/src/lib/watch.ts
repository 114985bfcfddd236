/**
 * Asks the gateway for what this page shows: results of the cameras that have a tile, pictures of those in sight, and
 * nothing while the page is hidden.
 */

/** Milliseconds that scrolling may go on before the gateway hears of it. */
const SETTLE = 200;
/** The gateway takes no more names than this at once. */
const MOST = 256;

export class Watch {
  #tiles = new Set<string>();
  #inSight = new Set<string>();
  #expected: readonly string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #told = '';

  constructor(
    private readonly subscribe: (cameras: string[] | null, pictures: string[]) => void,
    private readonly hidden: () => boolean = () => document.hidden,
  ) {}

  mount(camera: string): void {
    this.#tiles.add(camera);
    this.changed();
  }

  unmount(camera: string): void {
    this.#tiles.delete(camera);
    this.#inSight.delete(camera);
    this.changed();
  }

  sight(camera: string, visible: boolean): void {
    if (visible) this.#inSight.add(camera);
    else this.#inSight.delete(camera);
    this.changed();
  }

  /** Cameras that will be in sight in a moment: their pictures are asked for already. */
  expect(cameras: readonly string[]): void {
    this.#expected = cameras;
    this.changed();
  }

  /** Tells the gateway, soon, if what is wanted has changed. */
  changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const hidden = this.hidden();
      // A wall of more tiles than that takes all results, and pictures of the first.
      const tiles = new Set([...this.#tiles, ...this.#expected]);
      const cameras = hidden ? [] : tiles.size > MOST ? null : [...tiles].sort();
      const sight = new Set([...[...this.#inSight].sort(), ...this.#expected]);
      const pictures = hidden ? [] : [...sight].slice(0, MOST).sort();
      const wanted = JSON.stringify([cameras, pictures]);
      if (wanted === this.#told) return;
      this.#told = wanted;
      this.subscribe(cameras, pictures);
    }, SETTLE);
  }
}
