// The line of one group, small, in its colour; or the numbers of a heatmap's bins as bars.

import { useMemo } from "preact/hooks";
import type { Bin, Line } from "../graphs/answer";
import { edges, type HeatScale } from "../graphs/heat/heat_scale";

const WIDTH = 120;
const HEIGHT = 20;

/** least, most: between which numbers it is drawn; 0 is one of them or lies there. */
export function Spark({ line, least, most, colour }: { line: Line; least: number; most: number; colour: string }) {
  const path = useMemo(() => pathOf(line, least, most), [line, least, most]);
  return (
    <svg class="spark" width={WIDTH} height={HEIGHT} aria-hidden="true">
      <path d={path} fill="none" stroke={colour} stroke-width="1.5" />
    </svg>
  );
}

/** A step for each pixel at most: of more the lowest and the highest stay. */
function pathOf(line: Line, least: number, most: number): string {
  const steps = Math.max(line.length - 1, 1);
  const length = most - least;
  const tall = length > 0 ? (HEIGHT - 3) / length : 0;
  const yOf = (value: number) => Math.round(10 * (HEIGHT - 1 - (value - least) * tall)) / 10;
  const each = Math.max(1, line.length / WIDTH);
  let drawn = "";
  let joined = false;
  for (let from = 0, part = 1; from < line.length; part += 1) {
    const until = Math.min(line.length, Math.max(from + 1, Math.round(part * each)));
    let [low, high, last]: [number, number, number | null] = [Infinity, -Infinity, null];
    for (let at = from; at < until; at += 1) {
      const value = line[at] ?? null;
      if (value === null) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
      last = value;
    }
    const x = Math.round((10 * WIDTH * from) / steps) / 10;
    from = until;
    if (last === null) {
      joined = false;
      continue;
    }
    drawn += `${joined ? "L" : "M"}${x} ${yOf(last === low ? high : low)}`;
    if (low !== high) drawn += `V${yOf(last === low ? low : high)}`;
    // a value alone is a dot
    else if (!joined && (line[until] ?? null) === null) drawn += "h1.5";
    joined = true;
  }
  return drawn;
}

export function Spread({ bins, scale, colour }: { bins: readonly Bin[]; scale: HeatScale; colour: string }) {
  const most = Math.max(...bins.map((bin) => bin.count), 0);
  const wide = WIDTH / Math.max(scale.most - scale.least, 1);
  return (
    <svg class="spark" width={WIDTH} height={HEIGHT} aria-hidden="true">
      <path d={`M0 ${HEIGHT - 0.5}H${WIDTH}`} stroke="var(--line)" />
      {bins.map((bin) => {
        const [from, to] = edges(bin, scale.place);
        const tall = Math.max(1, (bin.count / most) * (HEIGHT - 2));
        return (
          <rect
            key={from}
            x={(from - scale.least) * wide}
            y={HEIGHT - tall}
            width={Math.max(1, (to - from) * wide - 0.5)}
            height={tall}
            fill={colour}
          />
        );
      })}
    </svg>
  );
}
