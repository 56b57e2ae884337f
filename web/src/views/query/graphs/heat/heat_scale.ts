// Where numbers stand on the axis of a heatmap: bins are equally high, zero has a row of its own,
// and what is below zero lies beneath it.

import type { Bin } from "../answer";

export interface HeatScale {
  /** The place of a number, in bins. */
  place: (value: number) => number;
  /** The number at a place. */
  value: (place: number) => number;
  least: number;
  most: number;
}

const BINS_LEAST = 8;

/** null where there is no bin. */
export function heatScale(steps: readonly (readonly Bin[])[]): HeatScale | null {
  let ratio = 0;
  let smallest = Infinity;
  let below = Infinity;
  const bins = steps.flat();
  for (const { low, high } of bins) {
    if (low !== null && high !== null && low > 0) ratio = Math.max(ratio, high / low);
    if (low !== null && high !== null && high < 0) ratio = Math.max(ratio, low / high);
    if (low !== null && low > 0) smallest = Math.min(smallest, low);
    if (high !== null && high < 0) below = Math.min(below, -high);
  }
  if (!bins.length) return null;
  const step = Math.log(ratio > 1 ? ratio : 2);
  if (smallest === Infinity) smallest = 1;
  if (below === Infinity) below = 1;
  // 0 to 1 is the row of zero; positive numbers are above, negative ones beneath.
  const place = (value: number) => {
    if (value >= smallest) return 1 + Math.log(value / smallest) / step;
    if (value <= -below) return -Math.log(-value / below) / step;
    return value > 0 ? 1 : 0;
  };
  const value = (at: number) => {
    if (at >= 1) return smallest * Math.exp((at - 1) * step);
    if (at <= 0) return -below * Math.exp(-at * step);
    return 0;
  };
  let least = Infinity;
  let most = -Infinity;
  for (const bin of bins) {
    const [from, to] = edges(bin, place);
    least = Math.min(least, from);
    most = Math.max(most, to);
  }
  // A few bins alone would be as high as the graph.
  return { place, value, least, most: Math.max(most, least + BINS_LEAST) };
}

/** The places of the ends of a bin. */
export function edges({ low, high }: Bin, place: (value: number) => number): [number, number] {
  if (low === 0 && high === 0) return [0, 1];
  const from = low === null ? place(high ?? 0) - 1 : place(low);
  return [from, high === null ? from + 1 : place(high)];
}

/** Round numbers to write beside the axis, about as many as there is room for. */
export function ticks(scale: HeatScale, wanted: number): number[] {
  const signs = [scale.most > 1 ? 1 : 0, scale.least < 0 ? -1 : 0].filter(Boolean);
  const found: number[] = scale.least < 1 && scale.most > 0 ? [0] : [];
  for (const sign of signs) {
    const ends = [scale.value(Math.max(sign > 0 ? 1 : scale.least, scale.least)), scale.value(sign > 0 ? scale.most : Math.min(0, scale.most))];
    const [low = 1, high = 1] = ends.map(Math.abs).sort((a, b) => a - b);
    const decades = Math.log10(high / low);
    const parts = decades * 3 <= wanted ? [1, 2, 5] : decades * 2 <= wanted ? [1, 3] : [1];
    const every = Math.max(1, Math.ceil(decades / wanted));
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += every) {
      for (const part of parts) {
        const value = part * 10 ** power;
        if (value >= low && value <= high) found.push(sign * value);
      }
    }
  }
  return found.sort((a, b) => a - b);
}
