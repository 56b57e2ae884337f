// Beside the heatmap's name: the cell under the crosshair, as lines have their values there; else what
// its colours mean.

import { heat } from "../../../../look/palette";
import { timeOf, utcClockOf, utcOf } from "../../../../look/times";
import { plain, unitOf } from "../../../../look/units";
import type { Graphed } from "../answer";
import { useShared, type Shared } from "../shared";
import { countOf, mostOf, numbersOf } from "./cell";

const SHADES = 8;
const SHADE_PX = 8;

export function HeatLegend({ of, label, shared }: { of: Graphed; label: string; shared: Shared }) {
  const found = useShared(shared, (now) => now.cell);
  if (found?.label !== label) return <Key most={mostOf(of.heats.get(label) ?? [])} />;
  const { cell } = found;
  return (
    <span class="legend small">
      <span class="mono" title={utcOf(cell.start)}>
        {timeOf(cell.start, { seconds: of.range.step < 60 })}
        {utcClockOf(cell.start) && <span class="quiet"> {utcClockOf(cell.start)}</span>}
      </span>
      <span class="number">{numbersOf(cell, unitOf(label))}</span>
      <span class={cell.count ? "number" : "number quiet"}>{countOf(cell)}</span>
    </span>
  );
}

function Key({ most }: { most: number }) {
  if (!most) return <span class="legend small" />;
  const shades = Array.from({ length: SHADES }, (_, at) => heat((at + 1) / SHADES));
  return (
    <span class="legend small quiet">
      <span class="legend-group">
        1
        <svg width={SHADES * SHADE_PX} height="10" aria-hidden="true">
          {shades.map((shade, at) => <rect key={at} x={at * SHADE_PX} width={SHADE_PX} height="10" fill={shade} />)}
        </svg>
        to {plain(most)} events in a cell
      </span>
    </span>
  );
}
