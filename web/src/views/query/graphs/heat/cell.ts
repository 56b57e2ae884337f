// The cell of a heatmap under its crosshair: its time, its numbers and how many events it has.

import type uPlot from "uplot";
import { timeOf } from "../../../../look/times";
import { plain, shown, type UnitOf } from "../../../../look/units";
import type { Bin, Graphed } from "../answer";
import { edges, type HeatScale } from "./heat_scale";

export interface Cell {
  /** Beginning of its step, unix seconds. */
  start: number;
  /** null: beyond every double. */
  low: number | null;
  high: number | null;
  count: number;
}

/** Also where no event is; null beside the steps. */
export function cellAt(plot: uPlot, of: Graphed, steps: readonly (readonly Bin[])[], scale: HeatScale): Cell | null {
  const { left = -1, top = -1 } = plot.cursor;
  if (left < 0 || top < 0) return null;
  const step = Math.floor((plot.posToVal(left, "x") - (of.times[0] ?? 0)) / of.range.step);
  const start = of.times[step];
  if (start === undefined) return null;
  const place = plot.posToVal(top, "y");
  const bin = steps[step]?.find((one) => {
    const [from, to] = edges(one, scale.place);
    return place >= from && place < to;
  });
  if (bin) return { start, ...bin };
  const row = Math.floor(place);
  const [low, high] = row === 0 ? [0, 0] : [scale.value(row), scale.value(row + 1)];
  return { start, low, high, count: 0 };
}

/** How many events the fullest cell has. */
export function mostOf(steps: readonly (readonly Bin[])[]): number {
  return steps.reduce((most, bins) => bins.reduce((more, bin) => Math.max(more, bin.count), most), 0);
}

/** `100 ms to 141 ms`; half open, but for zero. */
export function numbersOf({ low, high }: Cell, unit: UnitOf): string {
  if (low === null) return `below ${shown(high, unit)}`;
  if (high === null) return `from ${shown(low, unit)}`;
  return low === high ? shown(low, unit) : `${shown(low, unit)} to ${shown(high, unit)}`;
}

export function countOf({ count }: Cell): string {
  return `${plain(count)} ${count === 1 ? "event" : "events"}`;
}

/** All of it, for those who do not see it. */
export function wordsOf(cell: Cell, unit: UnitOf, step: number): string {
  return `${timeOf(cell.start, { seconds: step < 60 })}, ${numbersOf(cell, unit)}: ${countOf(cell)}`;
}
