// Which rows of a long list one sees: only those are drawn.

import { useLayoutEffect, useState } from "preact/hooks";

export const ROW_PX = 24;
const BEYOND = 8; // rows above and below what one sees
const STEP = 4; // rows by which what is drawn moves: within them scrolling draws nothing anew
const MOST_DRAWN = 200;

export interface Seen {
  first: number;
  drawn: number;
  /** Rows that fit in the box. */
  fit: number;
}

export function useSeen(box: { current: HTMLElement | null }): Seen {
  const [seen, setSeen] = useState<Seen>({ first: 0, drawn: 50, fit: 25 });
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    let fit = 1;
    const scrolled = () => {
      const first = Math.max(0, Math.floor(element.scrollTop / ROW_PX / STEP) * STEP - BEYOND);
      const drawn = Math.min(MOST_DRAWN, fit + 2 + 2 * BEYOND + STEP);
      setSeen((old) => (old.first === first && old.drawn === drawn ? old : { first, drawn, fit }));
    };
    // Its height is looked at when it changes, not while one scrolls.
    const measure = () => {
      fit = Math.max(1, Math.floor(element.clientHeight / ROW_PX));
      scrolled();
    };
    measure();
    const watcher = new ResizeObserver(measure);
    watcher.observe(element);
    element.addEventListener("scroll", scrolled, { passive: true });
    return () => {
      watcher.disconnect();
      element.removeEventListener("scroll", scrolled);
    };
  }, []);
  return seen;
}

/** Bring a row into the middle of the box, if one does not see it. */
export function reveal(element: HTMLElement | null, row: number): void {
  if (!element || row < 0) return;
  const top = row * ROW_PX;
  const hidden = top < element.scrollTop || top + ROW_PX > element.scrollTop + element.clientHeight;
  if (hidden) element.scrollTop = Math.max(0, top - element.clientHeight / 2);
}

/** px by which rows are indented. Of a deep part the levels that all drawn rows have are left out,
 * so that names stay in sight. */
export function indents(depths: readonly number[]): number[] {
  const least = Math.min(...depths);
  const base = Math.max(...depths) > DEEP ? Math.max(0, least - 1) : 0;
  return depths.map((depth) => Math.min(depth - base, DEEP) * LEVEL_PX + 4);
}

const DEEP = 12;
const LEVEL_PX = 12;
