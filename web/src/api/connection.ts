// Whether the server is there, as the last call found it. While it is not, it is looked for, and
// everyone who waits for it hears when it is back.

import { useEffect, useState } from "preact/hooks";

/** Since when it cannot be reached, unix seconds; null while it can. */
let since: number | null = null;
const listeners = new Set<() => void>();

/** Small, and for everyone: whether the server answers. */
const ALIVE = "/x/alive";
const LOOK_MS = 2_000;

function set(next: number | null): void {
  if (next === since) return;
  since = next;
  for (const listener of [...listeners]) listener();
}

/** A call was answered, whatever it said. */
export const noteReached = () => set(null);

/** A call was not answered. */
export function noteUnreachable(): void {
  if (since !== null) return;
  set(Date.now() / 1000);
  look();
}

function look(): void {
  setTimeout(() => {
    if (since === null) return;
    if (document.hidden) return look(); // nobody waits
    fetch(ALIVE, { cache: "no-store" }).then(noteReached, look);
  }, LOOK_MS);
}

/** Since when the server cannot be reached, unix seconds; null while it can. */
export function useUnreachable(): number | null {
  const [now, setNow] = useState(since);
  useEffect(() => {
    const update = () => setNow(since);
    update();
    listeners.add(update);
    return () => void listeners.delete(update);
  }, []);
  return now;
}

/** Wait, at most until the server is back after it could not be reached, or until the signal. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wasAway = since !== null;
    const end = () => {
      clearTimeout(timer);
      listeners.delete(changed);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const changed = () => {
      if (wasAway && since === null) end();
    };
    const timer = setTimeout(end, ms);
    listeners.add(changed);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}
