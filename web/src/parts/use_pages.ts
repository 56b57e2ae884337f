// Pages of a list by their cursors, from the first one to the one that is shown.

import { useState } from "preact/hooks";

type Cursors = readonly (string | null)[];

const FIRST: Cursors = [null];

export interface Pages {
  /** Of the page that is shown; null for the first one. */
  cursor: string | null;
  isFirst: boolean;
  /** Whether the page before this one is known. */
  canBack: boolean;
  /** Show the page after this one. */
  on: (cursor: string) => void;
  back: () => void;
  toFirst: () => void;
}

/** Another list, by its key, begins with its first page at once: its cursors are its own. */
export function usePages(key: string): Pages {
  const [held, setHeld] = useState({ key, cursors: FIRST });
  const cursors = held.key === key ? held.cursors : FIRST;
  const show = (next: Cursors) => setHeld({ key, cursors: next.length ? next : FIRST });
  return {
    cursor: cursors.at(-1) ?? null,
    isFirst: cursors.length < 2,
    canBack: cursors.length > 1,
    on: (cursor) => show([...cursors, cursor]),
    back: () => show(cursors.slice(0, -1)),
    toFirst: () => show(FIRST),
  };
}

/** More cursors would make an address that servers refuse; pages before these are reached from the first. */
const CURSORS_MAX = 16;
/** Stands between cursors, which have no such character. */
const BETWEEN = ".";
/** Stands first where earlier cursors were left out. */
const MORE = "~";

/** Pages whose place is a part of the address, so that back, forward and a link lead to the same page.
 * pages: what the address has; `go` is called with what it has next. */
export function pagesOf(pages: string | undefined, go: (pages: string | undefined) => void): Pages {
  const cursors = (pages ?? "").split(BETWEEN).filter(Boolean);
  const show = (next: readonly string[]) => {
    const kept = next.length > CURSORS_MAX ? [MORE, ...next.slice(-CURSORS_MAX)] : next;
    go(kept.length ? kept.join(BETWEEN) : undefined);
  };
  const own = cursors.at(-1);
  return {
    cursor: own === undefined || own === MORE ? null : own,
    isFirst: cursors.length === 0,
    canBack: cursors.length > 0 && cursors.at(-2) !== MORE,
    on: (cursor) => show([...cursors, cursor]),
    back: () => show(cursors.slice(0, -1)),
    toFirst: () => show([]),
  };
}
