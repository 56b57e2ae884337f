// What the graphs and rows of one screen share while the mouse moves: the step under the crosshair
// and the group that stands out. Beside the components' state, so that a move draws little anew.

import { useEffect, useState } from "preact/hooks";
import type { Cell } from "./heat/cell";

export class Shared {
  /** The key of the group that stands out. */
  group: string | null = null;
  /** The step under the crosshair, by its place. */
  step: number | null = null;
  /** The cell under the crosshair of a heatmap, by its label. */
  cell: { label: string; cell: Cell } | null = null;
  private readonly listeners = new Set<() => void>();

  set(change: { group?: string | null; step?: number | null; cell?: Shared["cell"] }): void {
    const group = change.group === undefined ? this.group : change.group;
    const step = change.step === undefined ? this.step : change.step;
    const cell = change.cell === undefined ? this.cell : change.cell;
    if (group === this.group && step === this.step && cell === this.cell) return;
    this.group = group;
    this.step = step;
    this.cell = cell;
    for (const listener of this.listeners) listener();
  }

  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/** A part of what is shared; the component is drawn anew when it changes. */
export function useShared<T>(shared: Shared, pick: (shared: Shared) => T): T {
  const [value, setValue] = useState(() => pick(shared));
  useEffect(() => {
    const update = () => setValue(pick(shared));
    update();
    return shared.listen(update);
  }, [shared]);
  return value;
}

/** Drawn anew when the colours of the page change: a canvas does not do it by itself. */
export function useTheme(): string {
  const [theme, setTheme] = useState(0);
  useEffect(() => {
    const update = () => setTheme((old) => old + 1);
    const system = matchMedia("(prefers-color-scheme: dark)");
    const chosen = new MutationObserver(update);
    system.addEventListener("change", update);
    chosen.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    return () => {
      system.removeEventListener("change", update);
      chosen.disconnect();
    };
  }, []);
  return String(theme);
}
