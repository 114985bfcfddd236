/** Dark, light, or as the system says. `public/scheme.js` applies the choice before the first paint. */

export const SCHEMES = ['dark', 'light', 'auto'] as const;
export type Scheme = (typeof SCHEMES)[number];

const KEY = 'framefleet.scheme';

function stored(): Scheme {
  try {
    return SCHEMES.find((scheme) => scheme === localStorage.getItem(KEY)) ?? 'dark';
  } catch {
    return 'dark';
  }
}

export class SchemeChoice {
  choice = $state<Scheme>(stored());
  #systemLight = matchMedia('(prefers-color-scheme: light)');

  constructor() {
    this.#systemLight.addEventListener('change', () => this.#apply());
  }

  next(): void {
    this.choice = SCHEMES[(SCHEMES.indexOf(this.choice) + 1) % SCHEMES.length] ?? 'dark';
    try {
      localStorage.setItem(KEY, this.choice);
    } catch {
      // Storage is switched off: the choice lasts as long as the page.
    }
    this.#apply();
  }

  #apply(): void {
    const light = this.choice === 'light' || (this.choice === 'auto' && this.#systemLight.matches);
    document.documentElement.dataset['scheme'] = light ? 'light' : 'dark';
  }
}
