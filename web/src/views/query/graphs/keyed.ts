// A graph by keys: arrows move the crosshair, with Shift they select, Enter does what a click or the
// end of a drag does.

import type uPlot from "uplot";

/** A part of one axis, px from the left or from the top of where values are drawn. */
type Part = readonly [from: number, to: number];

export interface Keyed {
  /** Of each step, the first one first. */
  columns: (plot: uPlot) => readonly Part[];
  /** Of each row, the lowest numbers first; of lines none. */
  rows: (plot: uPlot) => readonly Part[];
  /** Where the crosshair stands in a graph of lines, px from the top, after it went by so many lines. */
  along: (plot: uPlot, step: number, by: number) => number;
  /** Enter: as a click there, in px of the window. */
  point: (x: number, y: number) => void;
  /** What is under the crosshair, for those who do not see it. */
  say: () => string;
}

interface At {
  step: number;
  row: number;
}

const PAGE = 10;
const AWAY = { left: -10, top: -10 };
const NONE = { left: 0, top: 0, width: 0, height: 0 };

/** Listen to the keys of a graph's element; what it returns ends it. */
export function listenToKeys(plot: uPlot, element: HTMLElement, tell: (words: string) => void, keyed: Keyed): () => void {
  // Its third argument, which its types leave out, has the other graphs of the screen follow.
  const setCursor = plot.setCursor as (at: { left: number; top: number }, fire: boolean, follow: boolean) => void;
  let at: At | null = null;
  let anchor: At | null = null;
  const show = (by = 0) => {
    if (!at) return setCursor(AWAY, true, true);
    const columns = keyed.columns(plot);
    const rows = keyed.rows(plot);
    at.step = within(at.step, columns.length);
    at.row = within(at.row, rows.length);
    const left = middle(columns[at.step]);
    const top = rows.length ? middle(rows[at.row]) : keyed.along(plot, at.step, by);
    setCursor({ left, top }, true, true);
    select(columns, rows);
    tell(keyed.say());
  };
  const select = (columns: readonly Part[], rows: readonly Part[]) => {
    if (!at || !anchor) return plot.setSelect(NONE, false);
    const [left, right] = ends(columns, anchor.step, at.step);
    const [top, bottom] = rows.length ? ends(rows, anchor.row, at.row) : [0, plot.over.clientHeight];
    plot.setSelect({ left, top, width: right - left, height: bottom - top }, false);
  };
  const move = (event: KeyboardEvent): boolean => {
    const columns = keyed.columns(plot);
    const rows = keyed.rows(plot);
    const wide = { ArrowLeft: -1, ArrowRight: 1, PageUp: -PAGE, PageDown: PAGE, Home: -Infinity, End: Infinity }[event.key];
    const tall = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if ((wide ?? tall) === undefined || !columns.length) return false;
    const first = at === null;
    at ??= { step: plot.cursor.idx ?? (wide === 1 || wide === -Infinity ? 0 : columns.length - 1), row: Math.floor(rows.length / 2) };
    if (event.shiftKey) anchor ??= { ...at };
    else anchor = null;
    // The first key shows where one is.
    if (!first) {
      at.step = within(at.step + (wide ?? 0), columns.length);
      at.row = within(at.row + (tall ?? 0), rows.length);
    }
    show(first || rows.length || tall === undefined ? 0 : -tall);
    return true;
  };
  const enter = (): boolean => {
    if (!at) return false;
    if (anchor) {
      anchor = null;
      const { left, top, width, height } = plot.select;
      plot.setSelect({ left, top, width, height }, true);
      return true;
    }
    const { left, top } = plot.over.getBoundingClientRect();
    keyed.point(left + (plot.cursor.left ?? 0), top + Math.max(0, plot.cursor.top ?? 0));
    return true;
  };
  const leave = (): boolean => {
    if (anchor) anchor = null;
    else if (at) at = null;
    else return false;
    show();
    if (!at) tell("");
    return true;
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const done = event.key === "Enter" || event.key === " " ? enter() : event.key === "Escape" ? leave() : move(event);
    if (done) event.preventDefault();
  };
  const onBlur = () => {
    anchor = null;
    plot.setSelect(NONE, false);
    setCursor(AWAY, true, true);
  };
  // Not in the middle of a click or a drag, whose press gives the focus, too.
  const onFocus = () => {
    if (at && element.matches(":focus-visible")) show();
  };
  element.addEventListener("keydown", onKey);
  element.addEventListener("blur", onBlur);
  element.addEventListener("focus", onFocus);
  return () => {
    element.removeEventListener("keydown", onKey);
    element.removeEventListener("blur", onBlur);
    element.removeEventListener("focus", onFocus);
  };
}

/** The parts of the width that steps take. */
export function columnsOf(plot: uPlot, times: readonly number[], step: number): Part[] {
  const wide = plot.over.clientWidth;
  const kept = (px: number) => Math.max(0, Math.min(wide, px));
  return times.map((at) => [kept(plot.valToPos(at, "x")), kept(plot.valToPos(at + step, "x"))]);
}

function middle(part: Part | undefined): number {
  return part ? (part[0] + part[1]) / 2 : AWAY.left;
}

function ends(parts: readonly Part[], one: number, other: number): Part {
  const both = [parts[one], parts[other]].flatMap((part) => (part ? [...part] : []));
  return [Math.min(...both), Math.max(...both)];
}

function within(at: number, count: number): number {
  return Math.max(0, Math.min(count - 1, at));
}
