// A logarithmic axis on which 0 and what is below it have a place: even up to the smallest number
// that is drawn, then by factors.

import type uPlot from "uplot";
import type { Line } from "../answer";

/** Between the middles of two labels. */
const LABEL_PX = 14;
/** Height of the axis for each label. */
const ROOM_PX = 36;

export function logScale(lines: Iterable<Line>): Pick<uPlot.Scale, "distr" | "asinh"> {
  let smallest = Infinity;
  for (const line of lines) {
    for (const value of line) if (value) smallest = Math.min(smallest, Math.abs(value));
  }
  return { distr: 4, asinh: smallest === Infinity ? 1 : smallest };
}

/** 0, and powers of ten on both sides of it, with room between them. */
export function logTicks(plot: uPlot, height: number): number[] {
  const { min = 0, max = 0, asinh = 1 } = plot.scales["y"] ?? {};
  const [low, high] = [min ?? 0, max ?? 0];
  const size = Math.max(Math.abs(low), Math.abs(high), asinh);
  const powers: number[] = [];
  for (let power = Math.floor(Math.log10(size)); power >= Math.floor(Math.log10(asinh)); power -= 1) powers.push(10 ** power);
  const every = Math.ceil((powers.length * (low < 0 && high > 0 ? 2 : 1)) / Math.max(2, height / ROOM_PX));
  const kept = powers.filter((_, at) => at % every === 0);
  const apart = (one: number) => Math.abs(plot.valToPos(one, "y") - plot.valToPos(0, "y")) >= LABEL_PX;
  const sides = [...kept.map((one) => -one), ...kept].filter((one) => one >= low && one <= high && apart(one));
  return [...sides, 0].sort((a, b) => a - b);
}
