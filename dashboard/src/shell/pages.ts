/**
 * The dashboard's pages: the header, the keyboard, the help, the titles and the addresses come from this table. The
 * gateway has the same paths in gateway/pages.py (tests/unit/test_gateway_pages.py).
 */

import type { Component } from 'svelte';
import { match } from '../lib/address';
import type { Parameters } from '../lib/parameters';
import type { App } from './app.svelte';

/** What a page's component may export. */
export interface PageParts {
  /** The key `/`: to the page's search. */
  search?(): void;
  /** Keys that the shell does not take for itself. */
  onkey?(event: KeyboardEvent): void;
  /** What the page's address may say; the shell tells of whatever else it says. */
  parameters?(): Parameters | undefined;
  /** What is shown in particular, for the document's title, such as a camera's name. */
  title?(): string | null;
}

export type PageComponent = Component<{ app: App }, PageParts>;

export interface Page {
  name: string;
  path: string;
  title: string;
  /** The second key of `g …`; `null` for pages of one thing among many, which nobody enters without a link. */
  key: string | null;
  /** Where the header has its link. */
  nav: 'bar' | 'menu' | null;
  /** The parameter with which it is shown without the bar, and that all of the full screen is for this page. */
  bare?: string;
  load: () => Promise<{ default: PageComponent }>;
}

// prettier-ignore
export const PAGES: readonly Page[] = [
  { name: 'overview', path: '/', title: 'Overview', key: 'o', nav: 'bar', load: () => import('../overview/OverviewPage.svelte') },
  { name: 'wall', path: '/wall', title: 'Wall', key: 'w', nav: 'bar', bare: 'wall', load: () => import('../wall/WallPage.svelte') },
  { name: 'cameras', path: '/cameras/{id}', title: 'Camera', key: null, nav: null, load: () => import('../cameras/CameraPage.svelte') },
  { name: 'events', path: '/events', title: 'Events', key: 'e', nav: 'bar', load: () => import('../events/EventsPage.svelte') },
  { name: 'nodes', path: '/nodes', title: 'Nodes', key: 'n', nav: 'bar', load: () => import('../nodes/NodesPage.svelte') },
  { name: 'alerts', path: '/alerts', title: 'Alerts', key: 'a', nav: 'bar', load: () => import('../alerts/AlertsPage.svelte') },
  { name: 'models', path: '/models', title: 'Models', key: 'm', nav: 'menu', load: () => import('../models/ModelsPage.svelte') },
  { name: 'queues', path: '/queues', title: 'Queues', key: 'q', nav: 'menu', load: () => import('../queues/QueuesPage.svelte') },
  { name: 'jobs', path: '/jobs', title: 'Jobs', key: 'j', nav: 'menu', load: () => import('../jobs/JobsPage.svelte') },
  { name: 'job', path: '/jobs/{id}', title: 'Job', key: null, nav: null, load: () => import('../jobs/JobPage.svelte') },
  { name: 'explore', path: '/explore', title: 'Explore', key: 'x', nav: 'menu', load: () => import('../explore/ExplorePage.svelte') },
  { name: 'settings', path: '/settings', title: 'Settings', key: 's', nav: 'menu', load: () => import('../settings/SettingsPage.svelte') },
];

/** What is shown at every other address. */
export const NOT_FOUND: Page = {
  name: 'not-found',
  path: '',
  title: 'Page not found',
  key: null,
  nav: null,
  load: () => import('./NotFoundPage.svelte'),
};

export function pageAt(pathname: string): Page {
  return PAGES.find(({ path }) => match(path, pathname) !== null) ?? NOT_FOUND;
}
