// What lies over every graph: markers as lines, the seconds that may still grow paler, hatching where
// the answer is not complete.

import type uPlot from "uplot";
import type { Cover } from "./cover";
import { colour } from "../frame";
import type { Marker } from "./markers";

export interface Overlay {
  cover: Cover;
  markers: readonly Marker[];
  /** The time of the events that are compared with the others. */
  selected: { start: number; end: number } | null;
}

const HATCH_PX = 8;

/** drawn: how values are. Where lines join them, those that lead to a part of a step are paler, too. */
export function drawOverlay(plot: uPlot, { cover, markers, selected }: Overlay, drawn: "lines" | "bars" | "cells"): void {
  const { ctx, bbox } = plot;
  const x = (at: number) => Math.min(bbox.left + bbox.width, Math.max(bbox.left, plot.valToPos(at, "x", true)));
  const right = bbox.left + bbox.width;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.globalAlpha = 0.6;
  ctx.fillStyle = colour("paper");
  for (const { start, end, next } of cover.parts) {
    const [from, to] = drawn === "lines" ? [Math.min(start, next), Math.max(end, next)] : [start, end];
    ctx.fillRect(x(from), bbox.top, x(to) - x(from), bbox.height);
  }
  // In a heatmap the selection is a box.
  if (selected && drawn !== "cells") {
    const [from, to] = [x(selected.start), x(selected.end)];
    ctx.globalAlpha = 0.14;
    ctx.fillStyle = ctx.strokeStyle = colour("accent");
    ctx.fillRect(from, bbox.top, to - from, bbox.height);
    ctx.globalAlpha = 1;
    ctx.lineWidth = devicePixelRatio;
    ctx.strokeRect(from, bbox.top, to - from, bbox.height);
  }
  if (cover.missing) {
    ctx.globalAlpha = 0.12;
    ctx.strokeStyle = colour("ink");
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    const gap = HATCH_PX * devicePixelRatio;
    for (let at = bbox.left - bbox.height; at < right; at += gap) {
      ctx.moveTo(at, bbox.top + bbox.height);
      ctx.lineTo(at + bbox.height, bbox.top);
    }
    ctx.stroke();
  }
  for (const { start, end, colour: ink } of markers) {
    ctx.strokeStyle = ctx.fillStyle = ink;
    if (end !== null) {
      ctx.globalAlpha = 0.1;
      ctx.fillRect(x(start), bbox.top, Math.max(1, x(end) - x(start)), bbox.height);
    }
    ctx.globalAlpha = 0.8;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(x(start), bbox.top);
    ctx.lineTo(x(start), bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}
