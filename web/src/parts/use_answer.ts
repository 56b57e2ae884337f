// What a call answers, for a component: the old answer stays while the next one comes.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { persist } from "../api/persist";

export interface Answer<T> {
  value: T | undefined;
  error: unknown;
  /** Whether a call runs for longer than a moment: before, nothing on the screen moves. */
  slow: boolean;
  busy: boolean;
  again: () => void;
}

const SLOW_MS = 300;

/** Call `ask` when `key` changes, or never while it is null; the last call counts. */
export function useAnswer<T>(key: string | null, ask: (signal: AbortSignal) => Promise<T>): Answer<T> {
  const [state, setState] = useState<{ value: T | undefined; error: unknown }>({ value: undefined, error: null });
  const [busy, setBusy] = useState(false);
  const [slow, setSlow] = useState(false);
  const [turn, setTurn] = useState(0);
  const asking = useRef(ask);
  asking.current = ask;
  useEffect(() => {
    if (key === null) return;
    const controller = new AbortController();
    const timer = setTimeout(() => setSlow(true), SLOW_MS);
    setBusy(true);
    const { signal } = controller;
    const onWait = (error: unknown) => !signal.aborted && setState((old) => ({ value: old.value, error }));
    persist(() => asking.current(signal), signal, onWait)
      .then((value) => {
        if (!controller.signal.aborted) setState({ value, error: null });
      })
      .catch((error: unknown) => {
        if (!controller.signal.aborted) setState((old) => ({ value: old.value, error }));
      })
      .finally(() => {
        clearTimeout(timer);
        if (!controller.signal.aborted) {
          setBusy(false);
          setSlow(false);
        }
      });
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [key, turn]);
  const again = useCallback(() => setTurn((old) => old + 1), []);
  return { ...state, busy, slow, again };
}
