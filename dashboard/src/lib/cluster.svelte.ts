/**
 * The cluster's cameras and nodes. Messages are gathered as they come, newest wins, and applied together once per
 * animation frame: however fast results arrive, the page changes at most once per frame.
 */

import { untrack } from 'svelte';
import { Camera } from './camera.svelte';
import type { Monotonic } from './clock';
import type { CameraView, NodeView, Result } from './contract.gen';
import { commonAspect } from './grid';
import { inLocalTime } from './localtime';
import { recall, remember } from './memory';
import { CAMERA_STATES, type CameraState, type ServerMessage } from './protocol';

type Counts = Record<CameraState, number>;

/** Milliseconds within which a new connection has told of its cameras. */
const GRACE = 2_000;

const none = (): Counts => Object.fromEntries(CAMERA_STATES.map((state) => [state, 0])) as Counts;
const byName = new Intl.Collator('en', { numeric: true }).compare;

export class Cluster {
  /** Names of all cameras, in order. */
  ids = $state.raw<readonly string[]>([]);
  counts = $state.raw<Counts>(none());
  /** Of those, the cameras that a producer announces: they alone decide the cluster's health. */
  announced = $state.raw<Counts>(none());
  /** Groups that cameras are in, in order. */
  groups = $state.raw<readonly string[]>([]);
  nodes = $state.raw<readonly NodeView[]>([]);
  /** How many cameras there were when this page was last open. */
  readonly remembered: number;
  /** Proportions that most cameras have. */
  aspect = $state(16 / 9);
  /** False until the first list of cameras has arrived. */
  listed = $state(false);

  #cameras = new Map<string, Camera>();
  #results = new Map<string, { result: Result; arrived: Monotonic }>();
  /** `null`: forgotten by the gateway. */
  #infos = new Map<string, CameraView | null>();
  /** Cameras whose pictures this page goes without because others have a right to theirs; `null`: as before. */
  #crowdedOut: ReadonlySet<string> | null = null;
  #newNodes: readonly NodeView[] | null = null;
  /** Cameras of an earlier connection that this one has not mentioned yet. */
  #unconfirmed = new Set<string>();
  #grace: ReturnType<typeof setTimeout> | undefined;
  #scheduled = false;

  constructor() {
    const shape = recall();
    this.remembered = shape.count;
    this.aspect = shape.aspect;
  }

  get(id: string): Camera | undefined {
    return this.#cameras.get(id);
  }

  /**
   * A new connection begins with all cameras. Those that it does not mention soon are gone; a gateway that has
   * only just started itself is given the time to hear of them.
   */
  greeted(): void {
    clearTimeout(this.#grace);
    this.#unconfirmed = new Set(this.#cameras.keys());
    this.#crowdedOut = new Set();
    this.#grace = setTimeout(() => this.#settle(), GRACE);
  }

  /** The connection is lost: what is known stays, to be shown as what it is, old. */
  lost(): void {
    clearTimeout(this.#grace);
  }

  #settle(): void {
    for (const id of this.#unconfirmed) this.#cameras.delete(id);
    this.#summarise(this.#unconfirmed.size > 0);
    this.#unconfirmed.clear();
    this.listed = true;
  }

  accept(message: ServerMessage): void {
    switch (message.type) {
      case 'results':
        for (const result of message.results) {
          this.#results.set(result.camera_id, { result, arrived: performance.now() });
        }
        break;
      case 'cameras':
        for (const info of message.items) this.#infos.set(info.camera_id, info);
        for (const id of message.gone) {
          this.#infos.set(id, null);
          this.#results.delete(id);
        }
        break;
      case 'nodes':
        this.#newNodes = message.items;
        break;
      case 'withheld':
        this.#crowdedOut = new Set(message.crowded);
        break;
      case 'hello':
        return;
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const flush = () => {
      this.#scheduled = false;
      this.#flush();
    };
    // A hidden page gets no animation frames, yet its title still tells the cluster's health.
    if (document.hidden) setTimeout(flush, 1000);
    else requestAnimationFrame(flush);
  }

  #flush(): void {
    let members = false;
    let states = false;
    const known = (id: string): Camera => {
      let camera = this.#cameras.get(id);
      this.#unconfirmed.delete(id);
      if (camera === undefined) {
        camera = new Camera(id);
        this.#cameras.set(id, camera);
        members = true;
      }
      return camera;
    };
    for (const [id, info] of this.#infos) {
      if (info === null) {
        members = this.#cameras.delete(id) || members;
        continue;
      }
      const camera = known(id);
      if (camera.state !== info.state || camera.info?.producer_id !== info.producer_id) states = true;
      if ((camera.info?.group ?? null) !== info.group || (camera.info?.name ?? null) !== info.name)
        members = true;
      camera.info = localised(info);
    }
    for (const [id, sighting] of this.#results) known(id).latest = sighting;
    if (this.#crowdedOut !== null)
      for (const [id, camera] of this.#cameras) camera.crowdedOut = this.#crowdedOut.has(id);
    this.#crowdedOut = null;
    if (this.#newNodes !== null)
      this.nodes = [...this.#newNodes].sort((a, b) => byName(a.node_id, b.node_id));
    this.#infos.clear();
    this.#results.clear();
    this.#newNodes = null;
    if (members || states) this.#summarise(members);
    if (this.#cameras.size > 0) this.listed = true;
  }

  #summarise(members: boolean): void {
    const counts = none();
    const announced = none();
    for (const camera of this.#cameras.values()) {
      counts[camera.state] += 1;
      if (camera.announced) announced[camera.state] += 1;
    }
    this.counts = counts;
    this.announced = announced;
    if (!members) return;
    this.ids = [...this.#cameras.keys()].sort(byName);
    this.groups = [...new Set([...this.#cameras.values()].flatMap(({ info }) => info?.group ?? []))].sort(
      byName,
    );
    this.aspect = commonAspect([...this.#cameras.values()].map(sizeOf));
    remember({ count: this.ids.length, aspect: this.aspect });
  }

  /** Names of the cameras that match the search and are in the state and the group, in order. */
  select(search: string, state: CameraState | null, group: string | null = null): readonly string[] {
    // `counts` changes whenever a state does, and `ids` when a name or a group does: reading them makes callers
    // follow. Each camera's own fields change with every heartbeat, a thousand a second: nobody follows these.
    void this.counts;
    const ids = this.ids;
    const wanted = search.trim().toLowerCase();
    if (wanted === '' && state === null && group === null) return ids;
    return untrack(() =>
      ids.filter((id) => {
        const camera = this.#cameras.get(id);
        const named =
          id.toLowerCase().includes(wanted) || camera?.name.toLowerCase().includes(wanted) === true;
        return (
          named &&
          (state === null || camera?.state === state) &&
          (group === null || camera?.info?.group === group)
        );
      }),
    );
  }
}

/** The reason's times are the services', in UTC. */
function localised(info: CameraView): CameraView {
  const { reason } = info;
  return reason === null ? info : { ...info, reason: inLocalTime(reason, info.since ?? Date.now() / 1000) };
}

function sizeOf(camera: Camera): { width: number | null; height: number | null } {
  const result = camera.latest?.result;
  return {
    width: camera.info?.width ?? result?.width ?? null,
    height: camera.info?.height ?? result?.height ?? null,
  };
}
