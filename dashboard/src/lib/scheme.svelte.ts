/** Dark, light, or as the system says. `public/scheme.js` applies the choice before the first paint. */

import { kept, oneOf } from './kept.svelte';

export const SCHEMES = ['dark', 'light', 'auto'] as const;
export type Scheme = (typeof SCHEMES)[number];

export class SchemeChoice {
  #systemLight = matchMedia('(prefers-color-scheme: light)');
  #kept = kept<Scheme>('scheme', 'dark', oneOf(SCHEMES), () => this.#apply());

  constructor() {
    this.#systemLight.addEventListener('change', () => this.#apply());
  }

  get choice(): Scheme {
    return this.#kept.value;
  }

  set choice(scheme: Scheme) {
    this.#kept.value = scheme;
  }

  next(): void {
    this.choice = SCHEMES[(SCHEMES.indexOf(this.choice) + 1) % SCHEMES.length] ?? 'dark';
  }

  #apply(): void {
    const light = this.choice === 'light' || (this.choice === 'auto' && this.#systemLight.matches);
    document.documentElement.dataset['scheme'] = light ? 'light' : 'dark';
  }
}
