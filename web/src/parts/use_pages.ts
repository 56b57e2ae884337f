// Pages of a list by their cursors, from the first one to the one that is shown.

import { useState } from "preact/hooks";

type Cursors = readonly (string | null)[];

const FIRST: Cursors = [null];

export interface Pages {
  /** Of the page that is shown; null for the first one. */
  cursor: string | null;
  isFirst: boolean;
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
    on: (cursor) => show([...cursors, cursor]),
    back: () => show(cursors.slice(0, -1)),
    toFirst: () => show(FIRST),
  };
}
