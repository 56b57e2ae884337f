// One calculation over time, a line for each group; what is compared is dashed and paler.

import type uPlot from "uplot";
import { short, shown, unitOf } from "../../../look/units";
import type { SeriesLook } from "../../../look/palette";
import type { Calculation, Graphed, Group, Line } from "./answer";
import { frame, middles } from "./frame";
import { Plot } from "./plot";
import type { Shared } from "./shared";

interface Props {
  of: Graphed;
  calculation: Calculation;
  looks: ReadonlyMap<string, SeriesLook>;
  shared: Shared;
  height: number;
  last: boolean;
  version: unknown;
  onZoom: (start: number, end: number) => void;
}

interface Drawn {
  group: Group;
  line: Line;
  look: SeriesLook;
  before: boolean;
}

export function LineGraph({ of, calculation, looks, shared, height, last, version, onZoom }: Props) {
  const drawn = linesOf(of, calculation.label, looks);
  const unit = unitOf(calculation.label);
  const make = (width: number) => ({
    options: frame({
      range: of.range,
      width,
      height,
      last,
      yScale: { range: (_, least, most) => rangeOfValues(least, most) },
      yAxis: {
        values: (_, splits) =>
          splits.map((value) => (unit.unit === "number" ? short(value) : shown(value, unit))),
      },
      series: drawn.map(seriesOf),
      hooks: {
        setSelect: [
          (plot) => {
            const { left, width: wide } = plot.select;
            if (wide > 0) onZoom(plot.posToVal(left, "x"), plot.posToVal(left + wide, "x"));
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          },
        ],
        setCursor: [(plot) => shared.set({ step: plot.cursor.idx ?? null })],
        setSeries: [
          (plot, at) => {
            // Not where the rows made it stand out, nor on the graphs that only follow.
            if (plot.cursor.event) shared.set({ group: at ? (drawn[at - 1]?.group.key ?? null) : null });
          },
        ],
      },
    }),
    data: [middles(of.times, of.range), ...drawn.map((one) => one.line)] as uPlot.AlignedData,
  });
  const follow = (plot: uPlot) => {
    let shownGroup: string | null = null;
    return shared.listen(() => {
      if (shared.group === shownGroup) return;
      shownGroup = shared.group;
      const at = drawn.findIndex((one) => one.group.key === shownGroup);
      plot.setSeries(at < 0 ? null : at + 1, { focus: true }, false);
    });
  };
  return (
    <Plot
      of={version}
      height={height}
      label={`${calculation.label} over time, ${of.groups.length} groups`}
      make={make}
      onPlot={follow}
    />
  );
}

function linesOf(of: Graphed, label: string, looks: ReadonlyMap<string, SeriesLook>): Drawn[] {
  const found: Drawn[] = [];
  for (const before of [true, false]) {
    const lines = (before ? of.before : of.lines).get(label);
    for (const group of of.groups) {
      const line = lines?.get(group.key);
      const look = looks.get(group.key);
      if (line && look) found.push({ group, line, look, before });
    }
  }
  return found;
}

function seriesOf({ group, line, look, before }: Drawn): uPlot.Series {
  const alone = line.flatMap((value, at) =>
    value !== null && (line[at - 1] ?? null) === null && (line[at + 1] ?? null) === null ? [at] : [],
  );
  return {
    label: group.name,
    stroke: look.colour,
    width: before ? 1.25 : 1.75,
    alpha: before ? 0.55 : 1,
    dash: before ? [4, 4] : [...look.dash],
    points: { show: alone.length > 0, filter: () => alone, size: 4, fill: look.colour },
  };
}

/** From 0, or from below it: what looks twice as high is twice as much. */
function rangeOfValues(least: number | null, most: number | null): [number, number] {
  const low = Math.min(0, least ?? 0);
  const high = Math.max(0, most ?? 0);
  const room = (high - low) * 0.06;
  return high === low ? [low, low + 1] : [low < 0 ? low - room : 0, high > 0 ? high + room : 0];
}
