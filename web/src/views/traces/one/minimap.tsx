// The whole trace small: each line a hair in its place, and over it the window that is shown.

import { useEffect, useRef } from "preact/hooks";
import type { SeriesLook } from "../../../look/palette";
import { duration } from "../../../look/units";
import type { Tree } from "../tree";
import { useTheme } from "../../query/graphs/shared";
import type { Span } from "./bar";

interface Props {
  tree: Tree;
  ends: number;
  looks: ReadonlyMap<string, SeriesLook>;
  shown: Span;
  onShow: (shown: Span) => void;
}

const HEIGHT = 48;
const CLICK_PX = 4; // a shorter drag is a click
const EDGE_PX = 6;
const STEP = 0.1; // of the window, for the arrow keys

export function MiniMap({ tree, ends, looks, shown, onShow }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useTheme();
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const draw = () => paint(element, tree, ends, looks);
    draw();
    const watcher = new ResizeObserver(draw);
    watcher.observe(element);
    return () => watcher.disconnect();
  }, [tree, ends, looks, theme]);
  const whole = shown.from <= 0 && shown.to >= ends;
  const press = (event: PointerEvent) => {
    const element = canvas.current;
    if (!element || event.button) return;
    element.setPointerCapture(event.pointerId);
    const { left, width } = element.getBoundingClientRect();
    const ms = (x: number) => Math.max(0, Math.min(ends, ((x - left) / width) * ends));
    const began = ms(event.clientX);
    const near = (EDGE_PX / width) * ends;
    const edge = whole ? null : Math.abs(began - shown.from) < near ? "from" : Math.abs(began - shown.to) < near ? "to" : null;
    const inside = !whole && edge === null && began > shown.from && began < shown.to;
    const move = (moved: PointerEvent) => {
      const now = ms(moved.clientX);
      if (Math.abs(moved.clientX - event.clientX) < CLICK_PX) return;
      if (edge === "from") onShow(ordered(now, shown.to));
      else if (edge === "to") onShow(ordered(shown.from, now));
      else if (inside) onShow(shifted(shown, now - began, ends));
      else onShow(ordered(began, now));
    };
    const stop = () => {
      element.removeEventListener("pointermove", move);
      element.removeEventListener("pointerup", stop);
      element.removeEventListener("pointercancel", stop);
    };
    element.addEventListener("pointermove", move);
    element.addEventListener("pointerup", stop);
    element.addEventListener("pointercancel", stop);
  };
  const key = (event: KeyboardEvent) => {
    const width = shown.to - shown.from;
    const middle = (shown.from + shown.to) / 2;
    if (event.key === "ArrowLeft") onShow(shifted(shown, -width * STEP, ends));
    else if (event.key === "ArrowRight") onShow(shifted(shown, width * STEP, ends));
    else if (event.key === "+" || event.key === "ArrowUp") onShow({ from: middle - width / 4, to: middle + width / 4 });
    else if (event.key === "-" || event.key === "ArrowDown") onShow({ from: Math.max(0, middle - width), to: Math.min(ends, middle + width) });
    else if (event.key === "Home") onShow({ from: 0, to: ends });
    else return;
    event.preventDefault();
  };
  const part = (ms: number) => `${(100 * ms) / Math.max(ends, 1e-9)}%`;
  return (
    <div class="trace-mapbox">
      <canvas
        class="trace-map"
        ref={canvas}
        height={HEIGHT}
        role="slider"
        tabIndex={0}
        aria-label="part of the trace that is shown: arrows move it, + and - zoom, Home shows all"
        aria-valuemin={0}
        aria-valuemax={Math.round(ends)}
        aria-valuenow={Math.round(shown.from)}
        aria-valuetext={`${duration(shown.from)} to ${duration(shown.to)}`}
        onPointerDown={press}
        onDblClick={() => onShow({ from: 0, to: ends })}
        onKeyDown={key}
      />
      {!whole && (
        <div class="trace-window" style={{ left: part(shown.from), width: part(shown.to - shown.from) }} />
      )}
    </div>
  );
}

function ordered(one: number, other: number): Span {
  return { from: Math.min(one, other), to: Math.max(one, other, Math.min(one, other) + 1e-6) };
}

function shifted(shown: Span, by: number, ends: number): Span {
  const width = shown.to - shown.from;
  const from = Math.max(0, Math.min(ends - width, shown.from + by));
  return { from, to: from + width };
}

function paint(canvas: HTMLCanvasElement, tree: Tree, ends: number, looks: ReadonlyMap<string, SeriesLook>): void {
  const scale = devicePixelRatio || 1;
  const width = canvas.clientWidth;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(HEIGHT * scale);
  const pen = canvas.getContext("2d");
  if (!pen) return;
  pen.scale(scale, scale);
  const styles = getComputedStyle(canvas);
  const failed = styles.getPropertyValue("--error");
  const unknown = styles.getPropertyValue("--missing");
  const tall = Math.max(1, Math.min(4, HEIGHT / Math.max(tree.lines.length, 1)));
  const hair = (at: number, colour: string, least: number) => {
    const line = tree.lines[at];
    if (!line) return;
    const until = line.duration_ms === null ? (line.open ? ends : line.offset_ms) : line.offset_ms + line.duration_ms;
    const left = (line.offset_ms / Math.max(ends, 1e-9)) * width;
    pen.fillStyle = colour;
    pen.fillRect(left, (at / tree.lines.length) * (HEIGHT - tall), Math.max(least, ((until - line.offset_ms) / Math.max(ends, 1e-9)) * width), tall);
  };
  tree.lines.forEach((line, at) => {
    if (line.kind === "span" || line.kind === "missing") hair(at, looks.get(line.service ?? "")?.colour ?? unknown, 1);
  });
  // what failed is drawn last, so that nothing hides it
  tree.lines.forEach((line, at) => {
    if (line.error) hair(at, failed, 3);
  });
}
