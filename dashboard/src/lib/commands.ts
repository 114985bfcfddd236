/** The commands that the page advises: those that work for how the system was started. Pure. */

import type { SessionView } from './contract.gen';

/** `null`: nobody told the gateway, so each process was started by itself. */
export type Launcher = SessionView['launcher'];

/** Brings the number of workers to `count`, also while the system runs. */
export function startWorkers(launcher: Launcher, count = 2): string {
  if (launcher === 'native') return `make up WORKERS=${count}`;
  if (launcher === 'compose') return `docker compose up -d --scale cv-worker=${count}`;
  return 'python -m worker';
}

/** Gives the system another source of frames. Natively it has to be stopped for that. */
export function startSource(launcher: Launcher, source: string): string {
  if (launcher === 'native') return `make down && make up SOURCE=${source}`;
  if (launcher === 'compose') return `SOURCE=${source} docker compose up -d`;
  return `SOURCE=${source} python -m producer`;
}
