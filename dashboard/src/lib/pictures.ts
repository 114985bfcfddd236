/**
 * Pictures on their way from the socket to canvases: the newest per camera is decoded off the main thread,
 * and all that are ready are painted together, each with its own boxes, in one animation frame, at most thirty a second.
 */

import type { Monotonic } from './clock';
import type { Result } from './contract.gen';
import { type Decoded, decode, reducedSize, sizeOf } from './decode';
import type { Size } from './letterbox';
import { type Painting, type Surface, paint } from './paint';
import type { Picture } from './protocol';

/** Milliseconds between two paintings: of thirty cameras each animation frame would have a few, and the whole screen's cost. */
const PAUSE = 25;

/** Milliseconds for which the last picture of a camera that is no longer shown is kept: another view may be opening. */
const LEFT = 1_000;

/**
 * Called in the animation frame that paints `result`'s picture, which arrived at local time `arrived`; `again`: another
 * view has shown it before.
 */
export type OnPaint = (result: Result, arrived: Monotonic, again: boolean) => void;

interface Sink {
  surface: Surface;
  painted: OnPaint;
}

interface Arriving {
  picture: Picture;
  arrived: Monotonic;
  again?: boolean;
}

/** What becomes of one camera's pictures: waiting, decoded, shown. */
interface Pipeline {
  sinks: Set<Sink>;
  /** The newest picture that arrived while another was being decoded; an older one is simply replaced. */
  waiting: Arriving | null;
  decoding: boolean;
  /** `again`: another view has shown it before. */
  ready: (Painting & { again: boolean }) | null;
  /** The pictures that the canvases show, kept to repaint them when a canvas changes its size. */
  shown: Painting | null;
}

/** A surface that shows a camera's pictures. */
export interface Attached {
  repaint(): void;
  /** What it shows; `null` before the first picture. */
  shown(): Painting | null;
  detach(): void;
}

export class Pictures {
  /** Pictures that did not decode. */
  undecodable = 0;
  #pipelines = new Map<string, Pipeline>();
  /** The newest picture, not decoded, of each camera that will be shown in a moment. */
  #expected = new Map<string, Arriving | null>();
  /** The last picture of each camera that was shown a moment ago. */
  #left = new Map<string, Arriving>();
  #frame = 0;
  #painted = 0;

  /** Keeps what comes of these cameras from now on, until they are shown: then they have a picture at once. */
  expect(cameras: readonly string[]): void {
    this.#expected = new Map(cameras.map((camera) => [camera, this.#expected.get(camera) ?? null]));
  }

  /** Paints `camera`'s pictures on `surface` from now on. Returns a function that ends it. */
  attach(camera: string, surface: Surface, painted: OnPaint): Attached {
    let pipeline = this.#pipelines.get(camera);
    if (pipeline === undefined) {
      pipeline = { sinks: new Set(), waiting: null, decoding: false, ready: null, shown: null };
      this.#pipelines.set(camera, pipeline);
    }
    const own = pipeline;
    const sink = { surface, painted };
    own.sinks.add(sink);
    const early = this.#expected.get(camera) ?? this.#left.get(camera) ?? null;
    this.#expected.delete(camera);
    this.#left.delete(camera);
    if (early !== null && own.waiting === null && own.shown === null) {
      own.waiting = early;
      if (!own.decoding) void this.#decode(own);
    }
    return {
      repaint: () => {
        if (own.shown === null) return;
        paint(surface, own.shown);
        void this.#sharpen(own, own.shown);
      },
      shown: () => own.shown,
      detach: () => {
        own.sinks.delete(sink);
        if (own.sinks.size > 0) return;
        own.waiting = null;
        this.#leave(camera, own.ready ?? own.shown);
        release(own.ready);
        release(own.shown);
        own.ready = own.shown = null;
        if (this.#pipelines.get(camera) === own) this.#pipelines.delete(camera);
      },
    };
  }

  /** Keeps the picture for a view that opens in this one's place: the camera's next one may be far away. */
  #leave(camera: string, last: Painting | null): void {
    if (last === null) return;
    const { result, image, contentType, arrived } = last;
    const left = { picture: { result, image, contentType }, arrived, again: true };
    this.#left.set(camera, left);
    setTimeout(() => {
      if (this.#left.get(camera) === left) this.#left.delete(camera);
    }, LEFT);
  }

  receive(picture: Picture): void {
    const camera = picture.result.camera_id;
    const pipeline = this.#pipelines.get(camera);
    const arriving = { picture, arrived: performance.now() };
    if (pipeline === undefined) {
      if (this.#expected.has(camera)) this.#expected.set(camera, arriving);
      return;
    }
    pipeline.waiting = arriving;
    if (!pipeline.decoding) void this.#decode(pipeline);
  }

  async #decode(pipeline: Pipeline): Promise<void> {
    pipeline.decoding = true;
    while (pipeline.waiting !== null) {
      const { picture, arrived, again = false } = pipeline.waiting;
      const { result, image, contentType } = picture;
      pipeline.waiting = null;
      let decoded: Decoded;
      try {
        decoded = await decode(image, contentType, ownSize(result), largest(pipeline));
      } catch {
        this.undecodable += 1;
        continue;
      }
      release(pipeline.ready);
      pipeline.ready = null;
      const painting = {
        decoded,
        image,
        contentType,
        result,
        arrived,
        again,
        frame: ownSize(result) ?? sizeOf(decoded),
      };
      if (pipeline.sinks.size === 0) release(painting);
      else {
        pipeline.ready = painting;
        this.#schedule();
      }
    }
    pipeline.decoding = false;
  }

  /** Decodes what is shown once more, if a canvas has become larger than it: the next picture may be far away. */
  async #sharpen(pipeline: Pipeline, shown: Painting): Promise<void> {
    const { image, contentType, result } = shown;
    const own = ownSize(result);
    const room = largest(pipeline);
    const needed = own === null || room === null ? null : (reducedSize(own, room) ?? own);
    if (own === null || needed === null || needed.width <= sizeOf(shown.decoded).width) return;
    const decoded = await decode(image, contentType, own, room).catch(() => null);
    if (decoded === null) return;
    if (pipeline.shown !== shown) return decoded.close();
    shown.decoded.close();
    pipeline.shown = { ...shown, decoded };
    for (const { surface } of pipeline.sinks) paint(surface, pipeline.shown);
  }

  #schedule(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame((now) => this.#paint(now));
  }

  #paint(now: Monotonic): void {
    this.#frame = 0;
    if (now - this.#painted < PAUSE) return this.#schedule();
    this.#painted = now;
    for (const pipeline of this.#pipelines.values()) {
      if (pipeline.ready === null) continue;
      release(pipeline.shown);
      const { again } = pipeline.ready;
      pipeline.shown = pipeline.ready;
      pipeline.ready = null;
      for (const { surface, painted } of pipeline.sinks) {
        paint(surface, pipeline.shown);
        painted(pipeline.shown.result, pipeline.shown.arrived, again);
      }
    }
  }
}

function release(painting: Painting | null): void {
  painting?.decoded.close();
}

/** Boxes are in pixels of the original frame, which the result names; else (`null`) the picture is taken for it. */
function ownSize({ width, height }: Result): Size | null {
  return width === null || height === null ? null : { width, height };
}

/** The largest room that shows the pictures; `null` while none is measured. */
function largest({ sinks }: Pipeline): Size | null {
  const rooms = [...sinks].map(({ surface }) => surface.room);
  const [width, height] = [
    Math.max(0, ...rooms.map((room) => room.width)),
    Math.max(0, ...rooms.map((room) => room.height)),
  ];
  return width === 0 || height === 0 ? null : { width, height };
}
