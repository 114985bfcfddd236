/** One chart of uPlot in an element: our colours, gaps, objective, shared cursor, and zoom by dragging. */

import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { wall } from '../localtime';
import type { Span } from '../timerange';
import { COLOURS, dashOf } from './lines';
import { isolated, valueRange, type Points } from './points';
import { axisWords, timeWords, type Unit } from './units';

export interface Drawing {
  points: Points;
  span: Span;
  unit: Unit;
  objective: number | null;
  /** For each series, false while it is hidden. */
  shown: readonly boolean[];
}

export interface PlotEvents {
  /** The step that the pointer is at, on this chart or on another of the page. */
  cursor(index: number | null): void;
  zoom(span: Span): void;
  back(): void;
}

export interface Plot {
  draw(drawing: Drawing): void;
  /** Puts the cursor, and that of the page's other charts, at a step. */
  point(index: number | null): void;
  /** Lets one series stand out; `null`: none. */
  highlight(index: number | null): void;
  destroy(): void;
}

/** All charts of a page move their cursors together; there is one page at a time. */
const SHARED = 'page';
/** Pixels to drag before it is a choice of time, and no unsteady click. */
const DRAGGED = 6;

const forced = () => matchMedia('(forced-colors: active)').matches;

export function plotIn(target: HTMLElement, on: PlotEvents): Plot {
  let chart: uPlot | undefined;
  let drawn: Drawing | undefined;

  const colour = (name: string, system: string) =>
    forced() ? system : getComputedStyle(target).getPropertyValue(name).trim();
  const lineColour = (series: number) => colour(`--series-${(series % COLOURS) + 1}`, 'CanvasText');

  function objectiveLine(u: uPlot): void {
    const objective = drawn?.objective ?? null;
    if (objective === null) return;
    const { ctx, bbox } = u;
    const y = Math.round(u.valToPos(objective, 'y', true)) + 0.5;
    ctx.save();
    ctx.strokeStyle = colour('--text-soft', 'CanvasText');
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.restore();
  }

  function selected(u: uPlot): void {
    const { left, width } = u.select;
    if (width < DRAGGED) return;
    const span = { from: u.posToVal(left, 'x'), to: u.posToVal(left + width, 'x') };
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    on.zoom(span);
  }

  function options(drawing: Drawing): uPlot.Options {
    const { fontFamily, fontSize } = getComputedStyle(target);
    const axis = {
      stroke: () => colour('--text-soft', 'CanvasText'),
      font: `${fontSize} ${fontFamily}`,
      grid: { stroke: () => colour('--line', 'GrayText'), width: 1 },
      ticks: { show: false },
    };
    return {
      ...sizeOf(target),
      // On the right half of a time has room: the last one stands below the edge.
      padding: [8, 18, 0, 0],
      legend: { show: false },
      // It reads a date's local parts to find whole hours and days.
      tzDate: (time) => shifted(wall(time)),
      scales: {
        x: { time: true, range: () => [drawn?.span.from ?? 0, drawn?.span.to ?? 1] },
        y: { range: (_, low, high) => valueRange(low ?? 0, high ?? 0, drawn?.objective ?? null) },
      },
      axes: [
        { ...axis, size: 24, gap: 6, space: 72, values: (_, marks, __, ___, step) => timeWords(marks, step) },
        {
          ...axis,
          gap: 6,
          space: 32,
          // As wide as its longest words, so that none is cut off.
          size: (_, words) => 18 + 6.5 * Math.max(4, ...(words ?? []).map((word) => word.length)),
          values: (_, marks, __, ___, step) => axisWords(marks, step, drawn?.unit ?? ''),
        },
      ],
      series: [
        {},
        ...drawing.points.values.map((row, index) => ({
          show: drawing.shown[index] ?? true,
          stroke: () => lineColour(index),
          width: 1.5,
          // Where the system chooses the colours, dashes alone tell lines apart.
          dash: dashOf(index, forced() ? 1 : COLOURS),
          points: { size: 5, filter: (u: uPlot, series: number) => isolated(u.data[series] ?? row) },
        })),
      ],
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false, dist: DRAGGED },
        focus: { prox: 24 },
        points: { size: 7 },
        bind: { dblclick: () => () => (on.back(), null) },
        sync: {
          key: SHARED,
          setSeries: false,
          scales: ['x', null],
          // The others follow the pointer; what is dragged here is chosen once.
          filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave' },
        },
      },
      focus: { alpha: 0.3 },
      hooks: {
        draw: [objectiveLine],
        setSelect: [selected],
        setCursor: [(u) => on.cursor(u.cursor.idx ?? null)],
      },
    };
  }

  function draw(drawing: Drawing): void {
    const before = drawn;
    drawn = drawing;
    const { times, values } = drawing.points;
    if (chart !== undefined && before?.points.values.length === values.length) {
      drawing.shown.forEach((show, index) => {
        if (before.shown[index] !== show) chart?.setSeries(index + 1, { show });
      });
      chart.setData([times, ...values]);
      return;
    }
    chart?.destroy();
    chart = new uPlot(options(drawing), [times, ...values], target);
  }

  function repaint(): void {
    if (drawn === undefined) return;
    const drawing = drawn;
    chart?.destroy();
    chart = undefined;
    draw(drawing);
  }

  const resized = new ResizeObserver(() => chart?.setSize(sizeOf(target)));
  resized.observe(target);
  const scheme = new MutationObserver(repaint);
  scheme.observe(document.documentElement, { attributeFilter: ['data-scheme'] });
  const contrast = matchMedia('(forced-colors: active)');
  contrast.addEventListener('change', repaint);

  return {
    draw,
    point(index) {
      if (chart === undefined) return;
      const time = index === null ? undefined : chart.data[0][index];
      const left = time === undefined ? -10 : chart.valToPos(time, 'x');
      chart.setCursor({ left, top: left < 0 ? -10 : 1 });
    },
    highlight(index) {
      chart?.setSeries(index === null ? null : index + 1, { focus: true });
    },
    destroy() {
      resized.disconnect();
      scheme.disconnect();
      contrast.removeEventListener('change', repaint);
      chart?.destroy();
      chart = undefined;
    },
  };
}

/** A date whose local parts are the UTC parts of `date`. */
const shifted = (date: Date): Date =>
  new Date(
    date.getUTCFullYear(),
    date.getUTCMonth(),
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
    date.getUTCMilliseconds(),
  );

function sizeOf(target: HTMLElement): { width: number; height: number } {
  return { width: Math.max(80, target.clientWidth), height: Math.max(80, target.clientHeight) };
}
