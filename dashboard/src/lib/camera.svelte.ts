/** A camera as the page sees it, with fields that tiles react to. */

import type { Monotonic } from './clock';
import type { CameraView, Result } from './contract.gen';
import type { CameraState } from './protocol';

/** A result, and the time when it arrived here. */
export interface Sighting {
  result: Result;
  arrived: Monotonic;
}

export class Camera {
  /** The gateway's view of the camera; `null` while only results are known. */
  info = $state.raw<CameraView | null>(null);
  /** The newest result. */
  latest = $state.raw<Sighting | null>(null);
  /** The result whose picture is on the canvas, set in the same frame that paints it; `null` without a picture. */
  painted = $state.raw<Sighting | null>(null);

  /** True while its pictures go to other viewers: more cameras are watched than the gateway shows at once. */
  crowdedOut = $state(false);

  constructor(readonly id: string) {}

  /** The name that people call it by. */
  get name(): string {
    return this.info?.name ?? this.id;
  }

  get state(): CameraState {
    return this.info?.state ?? 'live';
  }

  /** Whether a producer speaks for it: what clients and senders send comes and goes as they like. */
  get announced(): boolean {
    return this.info === null || this.info.producer_id !== null;
  }

  /** The result that the tile speaks of: the painted one, so that words and boxes agree, else the newest. */
  get seen(): Sighting | null {
    return this.painted ?? this.latest;
  }
}
