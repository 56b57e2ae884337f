// New events as they are indexed: bounded, held while one reads, begun again after an interruption,
// with what was not followed meanwhile as an entry of its own.

import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, lines, Unreachable, type CallOptions } from "../../../../api/client";
import { pause } from "../../../../api/connection";
import { writeJson } from "../../../../api/exact";
import { waitOf } from "../../../../api/persist";
import type { Row } from "../../../../api/types";
import { isoOf } from "../../../../look/times";

/** An event; seconds that were not followed; events that came too fast, null where nobody counted. */
type Came = { row: Row } | { gap: { from: number; to: number; why: string } } | { skipped: number | null };
export type Entry = { id: number } & Came;

export interface Tail {
  /** The newest first, at most KEPT. */
  entries: readonly Entry[];
  state: "opening" | "following" | "waiting" | "refused";
  /** When it began to follow, unix seconds; null before. */
  since: number | null;
  arrived: number;
  /** Events that came while the list was held. */
  held: number;
  error: unknown;
  /** Seconds until it is tried again. */
  retryS: number | null;
}

/** Entries that a browser draws at once without a jerk; older ones are found by asking. */
export const KEPT = 200;
/** New ones are shown together so often: milliseconds. */
const SHOW_MS = 250;
/** A page that nobody has looked at for so long takes no place of the server's. */
const HIDDEN_MS = 15_000;
/** Events whose own time is longer ago are not new: seconds. */
export const LATE_S = 60;
/** Texts of events that are remembered, to tell copies after an interruption. */
const KNOWN = 1_000;
/** After an error of the server itself. */
const LEAST_S = 10;

type Body = NonNullable<CallOptions<"tailSome">["body"]>;

const BEGIN: Tail = { entries: [], state: "opening", since: null, arrived: 0, held: 0, error: null, retryS: null };

/** Follow a dataset's events while `key` stays; `hold` keeps the list as it is. */
export function useTail(key: string, dataset: string, body: Body, hold: boolean): Tail {
  const [tail, setTail] = useState<Tail>(BEGIN);
  const holding = useRef(hold);
  holding.current = hold;
  useEffect(() => {
    const stop = new AbortController();
    const buffer: Entry[] = [];
    let [id, arrived, passed] = [0, 0, 0];
    let since: number | null = null;
    let lost: { from: number; why: string } | null = null;
    let known: string[] = []; // what came lately, and came before the connection was lost
    let before = new Set<string>();
    const add = (entry: Came) => {
      const last = buffer.at(-1);
      if ("skipped" in entry && last && "skipped" in last) {
        // of a dataset that is too fast they would fill the list
        last.skipped = last.skipped === null || entry.skipped === null ? null : last.skipped + entry.skipped;
        return;
      }
      buffer.push({ id: (id += 1), ...entry });
      if (buffer.length > KEPT) passed += buffer.splice(0, buffer.length - KEPT).length;
    };
    setTail(BEGIN);
    const show = setInterval(() => {
      if (holding.current || document.hidden) {
        setTail((old) => (old.held === buffer.length + passed && old.arrived === arrived ? old : { ...old, arrived, held: buffer.length + passed }));
      } else if (buffer.length) {
        const fresh = buffer.splice(0).reverse();
        passed = 0;
        setTail((old) => ({ ...old, arrived, held: 0, entries: [...fresh, ...old.entries].slice(0, KEPT) }));
      } else setTail((old) => (old.held ? { ...old, held: 0 } : old));
    }, SHOW_MS);

    const once = async (signal: AbortSignal) => {
      // An indexer that begins anew reads what it had again: that is not new.
      const after_ns = BigInt(Math.floor((lost?.from ?? Date.now() / 1000) - LATE_S)) * 1_000_000_000n;
      const onOpen = () => {
        const now = Date.now() / 1000;
        if (lost) add({ gap: { ...lost, to: now } });
        lost = null;
        since ??= now;
        const first = since;
        setTail((old) => ({ ...old, state: "following", since: first, error: null, retryS: null }));
      };
      for await (const line of lines("tailSome", { path: { dataset }, query: { after_ns, skipped: true }, body, signal }, onOpen)) {
        const { time, ...event } = line as { time: bigint | number; samplerate: number; data: Row["data"] };
        if ("skipped" in (line as object)) {
          add({ skipped: (line as { skipped: number | null }).skipped });
          continue;
        }
        const copy = writeJson(line);
        if (before.has(copy)) continue;
        known.push(copy);
        if (known.length > 2 * KNOWN) known = known.slice(-KNOWN);
        arrived += 1;
        add({ row: { time: isoOf(time), ...event } });
      }
    };

    const follow = async () => {
      for (let failed = 0; !stop.signal.aborted; ) {
        if (document.hidden) await seen(stop.signal);
        const connection = new AbortController();
        const leave = () => connection.abort();
        let leaving: ReturnType<typeof setTimeout> | undefined;
        const hide = () => {
          clearTimeout(leaving);
          if (document.hidden) leaving = setTimeout(leave, HIDDEN_MS);
        };
        stop.signal.addEventListener("abort", leave);
        document.addEventListener("visibilitychange", hide);
        const began = Date.now() / 1000;
        let error: unknown = null;
        try {
          await once(connection.signal);
        } catch (reason) {
          if (!connection.signal.aborted) error = reason;
        } finally {
          clearTimeout(leaving);
          stop.signal.removeEventListener("abort", leave);
          document.removeEventListener("visibilitychange", hide);
        }
        if (stop.signal.aborted) return;
        const away = connection.signal.aborted;
        before = new Set(known);
        if (since !== null) lost ??= { from: Date.now() / 1000, why: away ? "the page was hidden" : "the connection ended" };
        if (away) continue;
        if (error instanceof ApiError && error.status < 500 && error.status !== 429) {
          setTail((old) => ({ ...old, state: "refused", error }));
          return;
        }
        failed = Date.now() / 1000 - began > 30 ? 0 : failed + 1;
        const wait = waitOf(error ?? new Unreachable(), failed) ?? LEAST_S;
        setTail((old) => ({ ...old, state: "waiting", error, retryS: wait }));
        await pause(wait * 1000, stop.signal);
      }
    };
    void follow();
    return () => {
      stop.abort();
      clearInterval(show);
    };
  }, [key]);
  return tail;
}

/** Until the page is seen. */
function seen(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener("visibilitychange", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    document.addEventListener("visibilitychange", done);
    signal.addEventListener("abort", done);
  });
}
