// What all graphs of a screen have in common: the time axis, its place, the crosshair, the colours.

import type uPlot from "uplot";
import { dayOf, timeOf } from "../../../look/times";
import type { Range } from "./answer";

/** Pixels beside the plotting areas, equal on all graphs, so that their times stand in line. */
export const LEFT = 64;
export const RIGHT = 20; // half of a label such as 30 Nov

const FONT = "12px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** The middle of each step, as far as it lies in the range: where its value is drawn. */
export function middles(times: readonly number[], { start, end, step }: Range): number[] {
  return times.map((at) => (Math.max(at, start) + Math.min(at + step, end)) / 2);
}

function timeLabels(splits: readonly number[], increment: number): string[] {
  let last = "";
  return splits.map((at) => {
    if (increment >= 86400) return dayOf(at);
    const day = dayOf(at);
    const clock = timeOf(at, { seconds: increment < 60, day: "never" });
    const changed = day !== last && (last !== "" || !today(at));
    last = day;
    return changed ? `${clock}\n${day}` : clock;
  });
}

/** Without labels that the edge would cut: half a time looks like another one. */
function whole(plot: uPlot, { start, end }: Range, splits: readonly number[], labels: readonly string[]): string[] {
  const perSecond = (plot.width - LEFT - RIGHT) / (end - start);
  plot.ctx.save();
  plot.ctx.font = FONT;
  const fits = (label: string, at: number) => {
    const half = Math.max(...label.split("\n").map((line) => plot.ctx.measureText(line).width)) / 2;
    return (end - at) * perSecond + RIGHT >= half;
  };
  const kept = labels.map((label, at) => (fits(label, splits[at] ?? start) ? label : ""));
  plot.ctx.restore();
  return kept;
}

/** Whether all labels are of one line: only other days are written. */
function today(s: number): boolean {
  return dayOf(s) === dayOf(Date.now() / 1000);
}

export interface FrameOptions {
  range: Range;
  width: number;
  height: number;
  /** Whether it is the last graph, which shows the times. */
  last: boolean;
  yAxis: uPlot.Axis;
  yScale: uPlot.Scale;
  series: uPlot.Series[];
  bands?: uPlot.Band[];
  hooks: uPlot.Hooks.Arrays;
  /** Whether dragging makes a box, not only a range of time. */
  box?: boolean;
  /** Whether the line that is near the pointer stands out. */
  near?: boolean;
}

export function frame(of: FrameOptions): uPlot.Options {
  const ink = colour("quiet");
  const grid = { stroke: colour("line"), width: 1 };
  return {
    width: of.width,
    height: of.height,
    padding: [8, RIGHT, of.last ? 0 : 8, 0],
    legend: { show: false },
    focus: { alpha: 0.2 },
    cursor: {
      y: of.box === true,
      drag: { x: true, y: of.box === true, setScale: false, dist: 5, ...(of.box ? { uni: 12 } : {}) },
      focus: { prox: of.near ? 24 : -1 },
      points: { show: !of.box },
      sync: {
        key: "bellwether",
        setSeries: false,
        scales: ["x", null],
        // Only moves: one drag is one question.
        filters: { pub: (type) => type !== "mousedown" && type !== "mouseup" },
      },
    },
    scales: { x: { time: true, range: [of.range.start, of.range.end] }, y: of.yScale },
    axes: [
      {
        stroke: ink,
        // Lines over the cells of a heatmap would look like data.
        grid: of.box ? { show: false } : grid,
        ticks: { show: false },
        font: FONT,
        size: of.last ? (today(of.range.start) ? 24 : 36) : 0,
        values: (plot, splits, __, ___, increment) =>
          of.last ? whole(plot, of.range, splits, timeLabels(splits, increment)) : splits.map(() => ""),
      },
      { stroke: ink, grid, ticks: { show: false }, font: FONT, size: LEFT, ...of.yAxis },
    ],
    series: [{}, ...of.series],
    ...(of.bands ? { bands: of.bands } : {}),
    hooks: of.hooks,
  };
}
