// A list by keys: Tab comes to one of its rows, arrows go to the others.

import { useState } from "preact/hooks";

const ROW = "data-row";

export interface Rows {
  /** For the list. */
  list: { onKeyDown: (event: KeyboardEvent) => void };
  /** For what is reached in a row; the others of the row have `tabIndex` alone. */
  row: (key: string | number) => { tabIndex: number; onFocus: () => void; [ROW]: true };
  tabIndex: (key: string | number) => number;
}

/** keys: of the rows, in their order. */
export function useRows(keys: readonly (string | number)[]): Rows {
  const [reached, setReached] = useState<string | number | undefined>();
  const stop = reached !== undefined && keys.includes(reached) ? reached : keys[0];
  const tabIndex = (key: string | number) => (key === stop ? 0 : -1);
  return {
    list: { onKeyDown: moveRow },
    row: (key) => ({ tabIndex: tabIndex(key), onFocus: () => setReached(key), [ROW]: true }),
    tabIndex,
  };
}

function moveRow(event: KeyboardEvent): void {
  const by = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
  const list = event.currentTarget;
  if (by === undefined || !(list instanceof Element) || event.ctrlKey || event.metaKey || event.altKey) return;
  const rows = [...list.querySelectorAll<HTMLElement>(`[${ROW}]`)];
  const at = rows.findIndex((one) => one === document.activeElement);
  if (at < 0) return;
  event.preventDefault();
  rows[Math.max(0, Math.min(rows.length - 1, at + by))]?.focus();
}
