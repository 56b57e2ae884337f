// The question while it is edited: its text and its specification, kept equal. The text is what
// undo remembers; whoever changes the specification gets the text that stands for it.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { persist } from "../../../api/persist";
import type { Query } from "../../../api/types";
import { readQuestion, writeQuestion, type Question, type TextFault, type TextPlace } from "../use_question";

export interface Draft {
  text: string;
  /** The last text that did not come out of the editor, for the editor to take over: a new object
   * for each. What is typed meanwhile is never overwritten by what was typed before. */
  put: { text: string };
  /** What the text means; of the last text that was understood while it is not. */
  spec: Query | null;
  /** The words of its time range, which go along with the time: `SINCE yesterday`. */
  range: string | null;
  /** The dataset after FROM. */
  dataset: string | null;
  faults: readonly TextFault[];
  places: readonly TextPlace[];
  /** Whether the server was not reached for the last change. */
  error: unknown;
  setText: (text: string) => void;
  /** Put another text there, as one step of undo. */
  replace: (text: string) => void;
  /** Change the specification; the text follows. The range keeps its words where its times stay;
   * others may be given with other times. */
  setSpec: (spec: Query, change?: Change) => void;
  /** The text, once it follows the specification. */
  latest: () => Promise<string>;
}

export interface Change {
  range?: string;
  /** The dataset after FROM; null for none. */
  dataset?: string | null;
}

/** Typing is understood once it pauses: milliseconds. */
const PAUSE_MS = 180;

export function useDraft(asked: string): Draft {
  const [text, setText] = useState(asked);
  const [put, setPut] = useState({ text: asked });
  const [spec, setSpecState] = useState<Query | null>(null);
  const [found, setFound] = useState<Pick<Draft, "range" | "dataset" | "faults" | "places">>(NOTHING);
  const [error, setError] = useState<unknown>(null);
  // the text that belongs to `spec` already
  const understood = useRef<string | null>(null);
  // the dataset after FROM, which a changed specification keeps
  const from = useRef<string | null>(null);
  const words = useRef<string | null>(null);
  const known = useRef<Query | null>(null);
  const turn = useRef(0);

  const replace = (next: string) => {
    setText(next);
    setPut({ text: next });
  };
  useEffect(() => replace(asked), [asked]);

  const take = ({ spec: next, range, dataset, faults, places }: Question) => {
    setError(null);
    if (!next) return setFound((old) => ({ ...old, faults, places }));
    from.current = dataset;
    words.current = range;
    known.current = next;
    setSpecState(next);
    setFound({ range, dataset, faults, places });
  };

  useEffect(() => {
    if (understood.current === text) return;
    const mine = (turn.current += 1);
    const controller = new AbortController();
    const read = () =>
      persist(() => readQuestion(text, controller.signal), controller.signal, setError).then(
        (question) => {
          if (turn.current !== mine) return;
          understood.current = text;
          take(question);
        },
        (reason: unknown) => {
          if (!controller.signal.aborted) setError(reason);
        },
      );
    const timer = setTimeout(() => void read(), understood.current === null ? 0 : PAUSE_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [text]);

  const now = useRef(text);
  now.current = text;
  const writing = useRef<Promise<void>>(Promise.resolve());
  const latest = useCallback(async () => {
    await writing.current;
    return now.current;
  }, []);
  const setSpec = useCallback((next: Query, { range, dataset = from.current }: Change = {}) => {
    const mine = (turn.current += 1);
    const said = range ?? (known.current && sameTimes(known.current, next) ? words.current : null);
    from.current = dataset;
    words.current = said;
    known.current = next;
    setSpecState(next);
    setFound((old) => ({ ...old, range: said, dataset, faults: [], places: [] }));
    const follow = async () => {
      const written = await writeQuestion(next, dataset, said);
      if (turn.current !== mine) return;
      if (written === null) {
        setError(new Error("No text stands for this question, so it cannot be asked here."));
        return;
      }
      understood.current = written;
      now.current = written;
      setError(null);
      replace(written);
      // what is wrong with it, and where everything stands; meanwhile it can be asked
      void readQuestion(written).then(
        (question) => turn.current === mine && take(question),
        () => undefined,
      );
    };
    writing.current = follow().catch((reason: unknown) => {
      if (turn.current === mine) setError(reason);
    });
  }, []);
  return { text, put, spec, ...found, error, setText, replace, setSpec, latest };
}

const NOTHING = { range: null, dataset: null, faults: [], places: [] };

const TIMES = ["start_time", "end_time", "time_range", "time_axis"] as const;

/** Whether both are about the same range. */
function sameTimes(one: Query, other: Query): boolean {
  return TIMES.every((name) => one[name] === other[name]);
}
