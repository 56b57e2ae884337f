// The line of one group, small, in its colour; or the numbers of a heatmap's bins as bars.

import type { Bin, Line } from "../graphs/answer";
import { edges, type HeatScale } from "../graphs/heat/heat_scale";

const WIDTH = 120;
const HEIGHT = 20;

/** least, most: between which numbers it is drawn; 0 is one of them or lies there. */
export function Spark({ line, least, most, colour }: { line: Line; least: number; most: number; colour: string }) {
  const step = WIDTH / Math.max(line.length - 1, 1);
  const length = most - least;
  const drawn: string[] = [];
  line.forEach((value, at) => {
    if (value === null) return;
    const y = HEIGHT - 1 - (length > 0 ? ((value - least) / length) * (HEIGHT - 3) : 0);
    const joined = at > 0 && line[at - 1] !== null;
    // a value alone is a dot
    const alone = !joined && (line[at + 1] ?? null) === null;
    drawn.push(`${joined ? "L" : "M"}${(at * step).toFixed(1)} ${y.toFixed(1)}${alone ? "h1.5" : ""}`);
  });
  return (
    <svg class="spark" width={WIDTH} height={HEIGHT} aria-hidden="true">
      <path d={drawn.join("")} fill="none" stroke={colour} stroke-width="1.5" />
    </svg>
  );
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
