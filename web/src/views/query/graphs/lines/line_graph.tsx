// One calculation over time, a line for each group; what is compared is dashed and paler.

import type uPlot from "uplot";
import { useRef } from "preact/hooks";
import { timeOf } from "../../../../look/times";
import { short, shown, unitOf } from "../../../../look/units";
import type { SeriesLook } from "../../../../look/palette";
import { ALL, type Chosen } from "../../rows/group_menu";
import type { Calculation, Graphed } from "../answer";
import { drawnOf, seriesOf, type Drawn } from "./drawn";
import type { Form } from "../form";
import { frame, middles } from "../frame";
import { drawOverlay, type Overlay } from "../over/overlay";
import { logScale, logTicks } from "./log_axis";
import { columnsOf, type Keyed } from "../keyed";
import { Plot } from "../plot";
import type { Shared } from "../shared";

/** Operations whose numbers are whole, and what lies between the lines of their axes. */
const WHOLE = new Set(["COUNT", "COUNT_DISTINCT", "CONCURRENCY"]);
const WHOLE_STEPS = Array.from({ length: 48 }, (_, at) => [1, 2, 5].map((part) => part * 10 ** Math.floor(at / 3))[at % 3] ?? 1);

/** Width of the line of a group that is selected. */
const STRONG_PX = 3.5;

interface Props {
  of: Graphed;
  calculation: Calculation;
  looks: ReadonlyMap<string, SeriesLook>;
  shared: Shared;
  height: number;
  last: boolean;
  version: unknown;
  overlay: Overlay;
  /** Keys of groups that are selected. */
  strong: ReadonlySet<string>;
  form: Form;
  /** Whether its axis is logarithmic. */
  log: boolean;
  onZoom: (start: number, end: number) => void;
  onPoint: (chosen: Chosen) => void;
}

export function LineGraph(props: Props) {
  const { of, calculation, looks, shared, height, last, version, overlay, strong, form, log, onZoom, onPoint } = props;
  const drawn = drawnOf(of, calculation, looks, form);
  const unit = unitOf(calculation.label);
  // Whether groups stand on one another: then it is the band under the pointer that is meant.
  const standing = drawn.some((one) => one.form !== "line");
  const make = (width: number) => ({
    options: frame({
      range: of.range,
      width,
      height,
      last,
      near: !standing,
      yScale: { range: (_, least, most) => rangeOfValues(least, most), ...(log ? logScale(drawn.map((one) => one.at)) : {}) },
      yAxis: {
        values: (_, splits) =>
          splits.map((value) => (unit.unit === "number" ? short(value) : shown(value, unit))),
        ...(WHOLE.has(calculation.op) ? { incrs: WHOLE_STEPS } : {}),
        ...(log ? { splits: (plot: uPlot) => logTicks(plot, height), filter: (_: uPlot, all: number[]) => all } : {}),
      },
      series: drawn.map((one) => ({ ...seriesOf(one), ...(strong.has(one.group.key) && !one.before ? { width: STRONG_PX } : {}) })),
      hooks: {
        draw: [(plot) => drawOverlay(plot, overlay, form === "bar" ? "bars" : "lines")],
        setSelect: [
          (plot) => {
            const { left, width: wide } = plot.select;
            if (wide > 0) onZoom(plot.posToVal(left, "x"), plot.posToVal(left + wide, "x"));
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          },
        ],
        setCursor: [
          (plot) => {
            const step = plot.cursor.idx ?? null;
            shared.set(standing && plot.cursor.event ? { step, group: bandAt(plot, drawn)?.key ?? null } : { step });
          },
        ],
        setSeries: [
          (plot, at) => {
            // Not where the rows made it stand out, nor on the graphs that only follow.
            if (plot.cursor.event && !standing) shared.set({ group: at ? (drawn[at - 1]?.group.key ?? null) : null });
          },
        ],
      },
    }),
    data: [middles(of.times, of.range), ...drawn.map((one) => one.at)] as uPlot.AlignedData,
  });
  const made = useRef<uPlot | null>(null);
  const point = (x: number, y: number) => {
    const cursor = made.current?.cursor;
    const start = of.times[cursor?.idx ?? -1];
    if (start === undefined) return;
    const only = of.groups.length === 1 ? of.groups[0] : undefined;
    const group = of.groups.find((one) => one.key === shared.group) ?? only ?? ALL;
    const at = made.current?.posToVal(cursor?.left ?? 0, "x") ?? start;
    onPoint({ group, at, time: { start, end: start + of.range.step }, column: calculation.column, x, y });
  };
  const keyed: Keyed = {
    columns: (plot) => columnsOf(plot, of.times, of.range.step),
    rows: () => [],
    along: (plot, step, by) => {
      const lines = drawn.filter((one) => !one.before && typeof one.at[step] === "number");
      const ranked = lines.sort((a, b) => (b.at[step] ?? 0) - (a.at[step] ?? 0));
      const here = ranked.findIndex((one) => one.group.key === shared.group);
      const to = here < 0 ? (by > 0 ? 0 : by < 0 ? ranked.length - 1 : -1) : Math.max(0, Math.min(ranked.length - 1, here + by));
      const line = ranked[to] ?? (ranked.length === 1 ? ranked[0] : undefined);
      shared.set({ step, group: line?.group.key ?? null });
      return line ? plot.valToPos(line.at[step] ?? 0, "y") : plot.over.clientHeight / 2;
    },
    point,
    say: () => {
      const start = of.times[shared.step ?? -1];
      const group = of.groups.find((one) => one.key === shared.group);
      if (start === undefined) return "";
      const values = of.lines.get(calculation.label);
      const value = values?.get(group?.key ?? of.groups[0]?.key ?? "")?.[shared.step ?? -1];
      return `${timeOf(start)}${group?.name ? `, ${group.name}` : ""}${group || of.groups.length < 2 ? `: ${shown(value, unit)}` : ""}`;
    },
  };
  const follow = (plot: uPlot) => {
    let focused: string | null = null;
    made.current = plot;
    plot.over.addEventListener("click", ({ clientX, clientY }) => point(clientX, clientY));
    return shared.listen(() => {
      if (shared.group === focused) return;
      focused = shared.group;
      const at = drawn.findIndex((one) => one.group.key === focused && !one.before);
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
      keyed={keyed}
    />
  );
}

/** The group whose band is under the pointer. The highest band is drawn first. */
function bandAt(plot: uPlot, drawn: readonly Drawn[]): Drawn["group"] | null {
  const { idx, top = -1 } = plot.cursor;
  if (idx === null || idx === undefined || top < 0) return null;
  const value = plot.posToVal(top, "y");
  return drawn.findLast((one) => !one.before && (one.at[idx] ?? 0) >= value)?.group ?? null;
}

/** From 0, or from below it: what looks twice as high is twice as much. */
function rangeOfValues(least: number | null, most: number | null): [number, number] {
  const low = Math.min(0, least ?? 0);
  const high = Math.max(0, most ?? 0);
  const room = (high - low) * 0.06;
  return high === low ? [low, low + 1] : [low < 0 ? low - room : 0, high > 0 ? high + room : 0];
}
