// A heatmap: how many events have which numbers, step by step. Dragging a box selects its events,
// dragging sideways zooms.

import type uPlot from "uplot";
import { useRef } from "preact/hooks";
import { heat } from "../../../../look/palette";
import { short, shown, unitOf } from "../../../../look/units";
import { ALL, type Chosen } from "../../rows/group_menu";
import type { Bin, Calculation, Graphed } from "../answer";
import { colour, frame, middles } from "../frame";
import { cellAt, mostOf, wordsOf } from "./cell";
import { edges, heatScale, ticks, type HeatScale } from "./heat_scale";
import { drawOverlay, type Overlay } from "../over/overlay";
import { columnsOf, type Keyed } from "../keyed";
import { Plot } from "../plot";
import type { Shared } from "../shared";

/** A part of a heatmap: unix seconds and numbers, half open. */
export interface Box {
  start: number;
  end: number;
  from: number;
  to: number;
}

/** Between the middles of two labels. */
const LABEL_PX = 16;

interface Props {
  of: Graphed;
  calculation: Calculation;
  shared: Shared;
  height: number;
  last: boolean;
  version: unknown;
  overlay: Overlay;
  /** The box that is selected now. */
  box: Box | null;
  onZoom: (start: number, end: number) => void;
  onBox: (box: Box) => void;
  /** A cell was clicked, or the box that is selected. */
  onPoint: (chosen: Chosen) => void;
}

export function HeatGraph({ of, calculation, shared, height, last, version, overlay, box, onZoom, onBox, onPoint }: Props) {
  const made = useRef<uPlot | null>(null);
  const steps = of.heats.get(calculation.label) ?? [];
  const scale = heatScale(steps);
  if (!scale) return <p class="quiet">No event of the range has a number in {calculation.column}.</p>;
  const unit = unitOf(calculation.label);
  const places = apart(ticks(scale, Math.floor(height / 40)).map((value) => ({ value, at: middleOf(value, scale) })), scale, height);
  const { label } = calculation;
  const show = (plot: uPlot) => {
    const cell = cellAt(plot, of, steps, scale);
    if (cell || shared.cell?.label === label) shared.set({ cell: cell && { label, cell } });
    return cell;
  };
  const make = (width: number) => ({
    options: frame({
      range: of.range,
      width,
      height,
      last,
      box: true,
      yScale: { range: [scale.least, scale.most] },
      yAxis: {
        splits: () => places.map((one) => one.at),
        values: () => places.map((one) => (unit.unit === "number" ? short(one.value) : shown(one.value, unit))),
        grid: { show: false },
      },
      series: [{ show: true, stroke: "transparent", points: { show: false } }],
      hooks: {
        drawClear: [(plot) => drawCells(plot, of, steps, scale)],
        draw: [
          (plot) => {
            drawOverlay(plot, overlay, "cells");
            if (box) drawBox(plot, box, scale);
          },
        ],
        setSelect: [
          (plot) => {
            const { left, top, width: wide, height: tall } = plot.select;
            const start = plot.posToVal(left, "x");
            const end = plot.posToVal(left + wide, "x");
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            if (wide <= 0) return;
            const whole = plot.over.clientHeight;
            if (tall <= 0 || tall >= whole - 1) onZoom(start, end);
            else {
              const from = scale.value(plot.posToVal(top + tall, "y"));
              onBox({ start, end, from, to: scale.value(plot.posToVal(top, "y")) });
            }
          },
        ],
        setCursor: [
          (plot) => {
            shared.set({ step: plot.cursor.idx ?? null });
            // A crosshair that follows that of another graph is at the height of nothing.
            if (plot.cursor.event || (plot.cursor.left ?? -1) < 0) show(plot);
          },
        ],
      },
    }),
    data: [middles(of.times, of.range), of.times.map(() => null)] as uPlot.AlignedData,
  });
  const point = (x: number, y: number) => {
    const { column } = calculation;
    const plot = made.current;
    if (column === null || !plot) return;
    const found = partAt(plot, of, steps, scale, box);
    if (found) onPoint({ group: ALL, at: plot.posToVal(plot.cursor.left ?? 0, "x"), time: found.time, numbers: { column, ...found.numbers }, column, x, y });
  };
  const keyed: Keyed = {
    columns: (plot) => columnsOf(plot, of.times, of.range.step),
    rows: (plot) => rowsOf(scale).map((row) => [plot.valToPos(row + 1, "y"), plot.valToPos(row, "y")]),
    along: () => 0,
    point,
    say: () => {
      const cell = made.current && show(made.current);
      return cell ? wordsOf(cell, unit, of.range.step) : "";
    },
  };
  const listen = (plot: uPlot) => {
    made.current = plot;
    plot.over.addEventListener("click", ({ clientX, clientY }) => point(clientX, clientY));
    return undefined;
  };
  return (
    <Plot
      of={version}
      height={height}
      label={`${label}, a heatmap over time`}
      make={make}
      onPlot={listen}
      keyed={keyed}
    />
  );
}

/** The box under the pointer, else the cell; null where nothing is. */
function partAt(
  plot: uPlot,
  of: Graphed,
  steps: readonly (readonly Bin[])[],
  scale: HeatScale,
  box: Box | null,
): { time: Omit<Box, "from" | "to">; numbers: { from: number | null; to: number | null } } | null {
  const { left = -1, top = -1 } = plot.cursor;
  const at = plot.posToVal(left, "x");
  const place = plot.posToVal(top, "y");
  const ended = (value: number) => (Number.isFinite(value) ? value : null);
  if (box && at >= box.start && at < box.end && place >= scale.place(box.from) && place < scale.place(box.to)) {
    return { time: { start: box.start, end: box.end }, numbers: { from: ended(box.from), to: ended(box.to) } };
  }
  const step = Math.floor((at - (of.times[0] ?? 0)) / of.range.step);
  const start = of.times[step];
  const bin = steps[step]?.find((one) => {
    const [from, to] = edges(one, scale.place);
    return place >= from && place < to;
  });
  if (start === undefined || !bin) return null;
  return { time: { start, end: start + of.range.step }, numbers: { from: bin.low, to: bin.high } };
}

/** The rows of bins, the lowest one first. */
function rowsOf({ least, most }: HeatScale): number[] {
  const first = Math.floor(least);
  return Array.from({ length: Math.max(1, Math.ceil(most) - first) }, (_, at) => first + at);
}

/** Those that do not stand over one another; zero is one of them. */
function apart(places: readonly { value: number; at: number }[], scale: HeatScale, height: number) {
  const room = (LABEL_PX * (scale.most - scale.least)) / height;
  const kept: { value: number; at: number }[] = [];
  for (const one of [...places].sort((a, b) => Number(b.value === 0) - Number(a.value === 0))) {
    if (kept.every((other) => Math.abs(other.at - one.at) >= room)) kept.push(one);
  }
  return kept.sort((a, b) => a.at - b.at);
}

/** Zero stands in the middle of its row, other numbers where they are. */
function middleOf(value: number, scale: HeatScale): number {
  return value === 0 ? 0.5 : scale.place(value);
}

function drawCells(plot: uPlot, of: Graphed, steps: readonly (readonly Bin[])[], scale: HeatScale): void {
  const most = mostOf(steps);
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  steps.forEach((bins, at) => {
    const time = of.times[at];
    if (time === undefined) return;
    const left = Math.round(plot.valToPos(time, "x", true));
    const right = Math.round(plot.valToPos(time + of.range.step, "x", true));
    for (const bin of bins) {
      const [from, to] = edges(bin, scale.place);
      const bottom = Math.round(plot.valToPos(from, "y", true));
      const top = Math.round(plot.valToPos(to, "y", true));
      ctx.fillStyle = heat(bin.count / most);
      ctx.fillRect(left, top, Math.max(1, right - left), Math.max(1, bottom - top));
    }
  });
  ctx.restore();
}

function drawBox(plot: uPlot, box: Box, scale: HeatScale): void {
  const { ctx } = plot;
  const left = plot.valToPos(box.start, "x", true);
  const kept = (value: number) => Math.min(scale.most, Math.max(scale.least, scale.place(value)));
  const top = plot.valToPos(kept(box.to), "y", true);
  const width = plot.valToPos(box.end, "x", true) - left;
  const height = plot.valToPos(kept(box.from), "y", true) - top;
  ctx.save();
  ctx.strokeStyle = colour("accent");
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.strokeRect(left, top, Math.max(1, width), Math.max(1, height));
  ctx.restore();
}
