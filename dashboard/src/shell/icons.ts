/** The pages' icons, by their names in the table of pages. One set: Lucide. */

import type { Component } from 'svelte';
import Boxes from '@lucide/svelte/icons/boxes';
import ChartLine from '@lucide/svelte/icons/chart-line';
import File from '@lucide/svelte/icons/file';
import Images from '@lucide/svelte/icons/images';
import Layers from '@lucide/svelte/icons/layers';
import LayoutDashboard from '@lucide/svelte/icons/layout-dashboard';
import LayoutGrid from '@lucide/svelte/icons/layout-grid';
import ScanFace from '@lucide/svelte/icons/scan-face';
import Server from '@lucide/svelte/icons/server';
import SlidersHorizontal from '@lucide/svelte/icons/sliders-horizontal';
import TriangleAlert from '@lucide/svelte/icons/triangle-alert';

type Icon = Component<{ size?: number | string }>;

const ICONS: Record<string, Icon> = {
  overview: LayoutDashboard,
  wall: LayoutGrid,
  events: ScanFace,
  nodes: Server,
  models: Boxes,
  queues: Layers,
  jobs: Images,
  alerts: TriangleAlert,
  explore: ChartLine,
  settings: SlidersHorizontal,
};

export const iconOf = (page: string): Icon => ICONS[page] ?? File;
