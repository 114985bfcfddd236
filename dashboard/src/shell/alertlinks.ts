/** Where alerts lead: to the cameras and workers that they are about, the explorer, and their runbooks. */

import type { AlertLinks } from '../alerts/links';
import { ALERTS } from '../alerts/place';
import { CAMERA } from '../cameras/place';
import { BASE } from '../lib/base';
import { readRunbookView } from '../lib/contract.gen';
import { OVERVIEW } from '../overview/place';
import type { App } from './app.svelte';
import { NOT_FOUND, pageAt } from './pages';

export function alertLinks(app: App): AlertLinks {
  const overview = app.route.on(OVERVIEW);
  const page = (path: string, search = '') => (pageAt(path) === NOT_FOUND ? null : `${BASE}${path}${search}`);
  return {
    camera: (camera) => app.route.on(CAMERA).href({ ...CAMERA.empty, camera }),
    cameras: (state) => overview.href({ ...OVERVIEW.empty, state }),
    nodes: () => page('/nodes'),
    explore: (expression) => page('/explore', `?expr=${encodeURIComponent(expression)}`),
    alert: (alert) => app.route.on(ALERTS).href({ ...ALERTS.empty, show: 'rules', alert }),
    go: (href) => app.route.go(href.slice(BASE.length)),
    follow: (event, href) => app.route.follow(href.slice(BASE.length))(event),
    runbook: async (name) => {
      const { text } = await app.ask(`/api/runbooks/${name}`, readRunbookView, AbortSignal.timeout(10_000));
      return text;
    },
  };
}
