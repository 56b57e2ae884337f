// A logarithmic axis on which 0 and what is below it have a place: even up to the smallest number
// that is drawn, then by factors.

import type uPlot from "uplot";
import type { Line } from "../answer";

/** Between the middles of two labels. */
const LABEL_PX = 16;
/** Height of the axis for each label. */
const ROOM_PX = 36;
/** Height of ten times as much, from which on there are labels within it, and several. */
const ONE_PX = 48;
const TWO_PX = 76;

export function logScale(lines: Iterable<Line>): Pick<uPlot.Scale, "distr" | "asinh"> {
  let smallest = Infinity;
  for (const line of lines) {
    for (const value of line) if (value) smallest = Math.min(smallest, Math.abs(value));
  }
  return { distr: 4, asinh: smallest === Infinity ? 1 : smallest };
}

/** 0, and powers of ten on both sides of it; where they are far apart, round numbers between them. */
export function logTicks(plot: uPlot, height: number): number[] {
  const { min = 0, max = 0, asinh = 1 } = plot.scales["y"] ?? {};
  const [low, high] = [min ?? 0, max ?? 0];
  const size = Math.max(Math.abs(low), Math.abs(high), asinh);
  const powers: number[] = [];
  for (let power = Math.floor(Math.log10(size)); power >= Math.floor(Math.log10(asinh)); power -= 1) powers.push(10 ** power);
  const every = Math.ceil((powers.length * (low < 0 && high > 0 ? 2 : 1)) / Math.max(2, height / ROOM_PX));
  const place = (one: number) => plot.valToPos(one, "y");
  const tenfold = Math.abs(place(size) - place(size / 10));
  const parts = every > 1 || tenfold < ONE_PX ? [] : tenfold < TWO_PX ? [3] : [2, 5];
  const between = parts.flatMap((part) => powers.map((one) => part * one));
  // The first ones are kept where two would stand over one another.
  const kept = [0];
  for (const one of [...powers.filter((_, at) => at % every === 0), ...between]) {
    for (const value of [one, -one]) {
      if (value < low || value > high) continue;
      if (kept.every((other) => Math.abs(place(value) - place(other)) >= LABEL_PX)) kept.push(value);
    }
  }
  return kept.sort((a, b) => a - b);
}
