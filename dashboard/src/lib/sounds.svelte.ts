/** A short tone for each new critical alert, where somebody switched it on. Browsers let none sound before a gesture. */

import type { AlertsView } from './contract.gen';
import { type Kept, kept, oneOf } from './kept.svelte';
import { NewCriticalAlerts } from './newalerts';

/** Seconds for which one tab's tone stands for those of all tabs of this browser. */
const SHARED = 8;
const LAST = 'framefleet.sounded';
/** Hertz, in the order in which they sound; seconds of each. */
const TONES = [880, 660];
const LENGTH = 0.18;

export class Sounds {
  readonly choice: Kept<'on' | 'off'> = kept<'on' | 'off'>('sounds', 'off', oneOf(['on', 'off']), () =>
    this.#prepare(),
  );
  /** True while the browser lets nothing sound: it waits for a click or a key on this page. */
  blocked = $state(false);
  /** False where the browser has no sound at all. */
  readonly possible = 'AudioContext' in globalThis;

  #context: AudioContext | undefined;
  #news = new NewCriticalAlerts();

  constructor() {
    this.#prepare();
    const gesture = () => void this.#resume();
    for (const event of ['pointerdown', 'keydown']) addEventListener(event, gesture, { capture: true });
  }

  /** Takes the alerts as they are now, and sounds if a critical one is new. */
  hear(alerts: AlertsView): void {
    const news = this.#news.take(alerts);
    if (news.length > 0 && this.choice.value === 'on' && !this.#anotherTab()) this.play();
  }

  /** Sounds once, if the browser lets it. */
  play(): void {
    this.#prepare(true);
    const context = this.#context;
    if (context === undefined || context.state !== 'running') return;
    TONES.forEach((frequency, index) => {
      const start = context.currentTime + index * LENGTH;
      const tone = new OscillatorNode(context, { frequency });
      const gain = new GainNode(context, { gain: 0 });
      // Without slopes it would click.
      gain.gain.setValueAtTime(0, start);
      gain.gain.linearRampToValueAtTime(0.2, start + 0.01);
      gain.gain.linearRampToValueAtTime(0, start + LENGTH);
      tone.connect(gain).connect(context.destination);
      tone.start(start);
      tone.stop(start + LENGTH);
    });
  }

  /** For a press of "Test": within the gesture, so that the browser lets it. */
  async test(): Promise<void> {
    this.#prepare(true);
    await this.#resume();
    this.play();
  }

  #prepare(wanted = this.choice.value === 'on'): void {
    if (!wanted || !this.possible) {
      this.blocked = false;
      return;
    }
    if (this.#context === undefined) {
      this.#context = new AudioContext();
      this.#context.addEventListener('statechange', () => this.#tell());
    }
    this.#tell();
  }

  async #resume(): Promise<void> {
    if (this.#context?.state === 'suspended') await this.#context.resume().catch(() => undefined);
    this.#tell();
  }

  #tell(): void {
    this.blocked = this.choice.value === 'on' && this.#context?.state !== 'running';
  }

  /** True if another tab has just sounded for the same. */
  #anotherTab(): boolean {
    try {
      const last = Number(localStorage.getItem(LAST));
      const now = Date.now() / 1000;
      if (Math.abs(now - last) < SHARED) return true;
      // A tab that may not sound leaves it to one that may.
      if (!this.blocked) localStorage.setItem(LAST, String(now));
    } catch {
      // Storage is switched off: each tab sounds by itself.
    }
    return false;
  }
}
