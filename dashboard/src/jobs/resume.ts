/** Which files this browser has begun to send for which job: after a reload the same files go on in the same job. */

const KEY = 'framefleet.uploads';
const MOST_JOBS = 20;
/** A job with more files than this begins anew after a reload, file by file: storage is small. */
const MOST_FILES = 5_000;

/** By job: the files' prints, and whether all of the file has come. */
export type Begun = Record<string, Record<string, boolean>>;

export type Keeper = Pick<Storage, 'getItem' | 'setItem'>;

/** The same file, chosen again, has the same. */
export const printOf = (path: string, file: Pick<File, 'size' | 'lastModified'>): string =>
  `${path}:${file.size}:${file.lastModified}`;

export function parseBegun(json: string | null): Begun {
  try {
    const value: unknown = JSON.parse(json ?? '{}');
    if (typeof value !== 'object' || value === null) return {};
    const sound = Object.entries(value).filter(
      (entry): entry is [string, Record<string, boolean>] =>
        typeof entry[1] === 'object' && entry[1] !== null,
    );
    return Object.fromEntries(sound);
  } catch {
    return {};
  }
}

/** What `keeper` (localStorage) knows. Storage may be switched off or full: then nothing is known after a reload. */
export class Resume {
  constructor(private readonly keeper: () => Keeper) {}

  #read(): Begun {
    try {
      return parseBegun(this.keeper().getItem(KEY));
    } catch {
      return {};
    }
  }

  #write(begun: Begun): void {
    try {
      this.keeper().setItem(KEY, JSON.stringify(Object.fromEntries(Object.entries(begun).slice(-MOST_JOBS))));
    } catch {
      // The uploads go on; only a reload would begin them anew.
    }
  }

  /** Notes that these files belong to the job; `whole` those that have come. */
  note(job: string, prints: readonly string[], whole: boolean): void {
    const begun = this.#read();
    const { [job]: files = {}, ...others } = begun;
    for (const print of prints)
      if (print in files || Object.keys(files).length < MOST_FILES) files[print] = whole;
    this.#write({ ...others, [job]: files });
  }

  forget(job: string): void {
    const { [job]: _, ...others } = this.#read();
    this.#write(others);
  }

  /** The job that most of these files belong to; `null` if there is none. */
  jobOf(prints: readonly string[]): string | null {
    let best: string | null = null;
    let most = 0;
    for (const [job, files] of Object.entries(this.#read())) {
      const known = prints.filter((print) => print in files).length;
      if (known > most) [best, most] = [job, known];
    }
    return best;
  }

  /** Whether all of that file has come to the job. */
  isWhole(job: string, print: string): boolean {
    return this.#read()[job]?.[print] === true;
  }
}
