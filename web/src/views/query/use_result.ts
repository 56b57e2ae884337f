// The answer of a question: begun, waited for, cancelled; the old one stays until the next is there.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError, call } from "../../api/client";
import { persist } from "../../api/persist";
import type { Operations, Query } from "../../api/types";

export type Result = Operations["getQueryResult"]["answer"];

export interface Run {
  result: Result | null;
  /** The text of the question that the result answers. */
  asked: string;
  error: unknown;
  busy: boolean;
  /** Whether it runs for so long that one wants to know. */
  slow: boolean;
  /** Milliseconds from the question to the answer. */
  tookMs: number | null;
  /** Ask. */
  start: (dataset: string, spec: Query, text: string) => void;
  /** Show an answer that was given before, by its id; ask again where it is no longer kept. */
  show: (dataset: string, id: string, spec: Query, text: string) => void;
  cancel: () => void;
}

interface Running {
  controller: AbortController;
  /** Of the result of a query that was asked here, while it runs. */
  path: { dataset: string; id: string } | null;
}

const SLOW_MS = 300;
const WAIT_S = 10;
/** Read ten times as fast as rows. */
const FORM = "columns" as const;
/** A question whose answers are lost again and again is not asked for ever: it costs others their turn. */
const ASKED_MAX = 3;

export function useResult(onAnswer: (result: Result) => void): Run {
  const [result, setResult] = useState<Result | null>(null);
  const [asked, setAsked] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [slow, setSlow] = useState(false);
  const [tookMs, setTookMs] = useState<number | null>(null);
  const running = useRef<Running | null>(null);
  const told = useRef(onAnswer);
  told.current = onAnswer;

  const cancel = useCallback(() => {
    const ended = running.current;
    running.current = null;
    // before there is an id, hanging up ends the query
    ended?.controller.abort();
    if (ended?.path) call("endQueryResult", { path: ended.path }).catch(() => undefined);
    setBusy(false);
    setSlow(false);
  }, []);
  useEffect(() => cancel, [cancel]);

  const follow = useCallback(
    async (dataset: string, spec: Query, text: string, id: string | null) => {
      cancel();
      const controller = new AbortController();
      const { signal } = controller;
      const mine: Running = { controller, path: null };
      running.current = mine;
      setBusy(true);
      setError(null);
      const began = performance.now();
      const timer = setTimeout(() => setSlow(true), SLOW_MS);
      try {
        const patiently = (ask: () => Promise<Result>) => persist(ask, signal, (why) => !signal.aborted && setError(why));
        let known = id;
        let begun = 0;
        let found: Result | null = null;
        while (!found?.complete) {
          const last = known;
          try {
            found = await patiently(() => (last === null ? begin(dataset, spec, signal) : waitFor(dataset, last, signal)));
            known = found.id;
            if (last === null) begun += 1;
            if (begun) mine.path = { dataset, id: found.id };
          } catch (reason) {
            if (last === null || !isGone(reason) || begun === ASKED_MAX) throw reason;
            [known, mine.path] = [null, null]; // of a server that has gone, or of an old link: it is asked again
          }
        }
        mine.path = null;
        if (signal.aborted) return;
        setError(null);
        setTookMs(performance.now() - began);
        setResult(found);
        setAsked(text);
        told.current(found);
      } catch (reason) {
        if (!signal.aborted) setError(reason);
      } finally {
        clearTimeout(timer);
        if (!signal.aborted) {
          setBusy(false);
          setSlow(false);
        }
      }
    },
    [cancel],
  );

  const start = useCallback(
    (dataset: string, spec: Query, text: string) => void follow(dataset, spec, text, null),
    [follow],
  );
  const show = useCallback(
    (dataset: string, id: string, spec: Query, text: string) => void follow(dataset, spec, text, id),
    [follow],
  );
  return { result, asked, error, busy, slow, tookMs, start, show, cancel };
}

function begin(dataset: string, query: Query, signal: AbortSignal): Promise<Result> {
  const wanted = { disable_total_by_aggregate: false, disable_other_by_aggregate: false, series_form: FORM };
  return call("createQueryResult", { path: { dataset }, body: { query, wait_s: WAIT_S, ...wanted }, signal });
}

function waitFor(dataset: string, id: string, signal: AbortSignal): Promise<Result> {
  return call("getQueryResult", { path: { dataset, id }, query: { wait_s: WAIT_S, series_form: FORM }, signal });
}

/** Whether the answer is not there any more. */
function isGone(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 404 || error.status === 410);
}
