// The question while it is edited: its text and its specification, kept equal. The text is what
// undo remembers; whoever changes the specification gets the text that stands for it.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Query } from "../../../api/types";
import { readQuestion, writeQuestion, type TextFault } from "../use_question";

export interface Draft {
  text: string;
  /** The last text that did not come out of the editor, for the editor to take over: a new object
   * for each. What is typed meanwhile is never overwritten by what was typed before. */
  put: { text: string };
  /** What the text means; of the last text that was understood while it is not. */
  spec: Query | null;
  /** The dataset after FROM. */
  dataset: string | null;
  fault: TextFault | null;
  /** Whether the server was not reached for the last change. */
  error: unknown;
  setText: (text: string) => void;
  /** Change the specification; the text follows. */
  setSpec: (spec: Query) => void;
  /** The text, once it follows the specification. */
  latest: () => Promise<string>;
}

/** Typing is understood once it pauses: milliseconds. */
const PAUSE_MS = 180;

export function useDraft(asked: string): Draft {
  const [text, setText] = useState(asked);
  const [put, setPut] = useState({ text: asked });
  const [spec, setSpecState] = useState<Query | null>(null);
  const [fault, setFault] = useState<TextFault | null>(null);
  const [error, setError] = useState<unknown>(null);
  // the text that belongs to `spec` already
  const understood = useRef<string | null>(null);
  // the dataset after FROM, which a changed specification keeps
  const from = useRef<string | null>(null);
  const [dataset, setDataset] = useState<string | null>(null);
  const turn = useRef(0);

  const replace = (next: string) => {
    setText(next);
    setPut({ text: next });
  };
  useEffect(() => replace(asked), [asked]);

  useEffect(() => {
    if (understood.current === text) return;
    const mine = (turn.current += 1);
    const controller = new AbortController();
    const read = () =>
      readQuestion(text, controller.signal).then(
        (found) => {
          if (turn.current !== mine) return;
          understood.current = text;
          setFault(found.fault);
          if (found.spec) {
            from.current = found.dataset;
            setDataset(found.dataset);
            setSpecState(found.spec);
          }
          setError(null);
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
  const setSpec = useCallback((next: Query) => {
    const mine = (turn.current += 1);
    setSpecState(next);
    writing.current = writeQuestion(next, from.current).then(
      (written) => {
        if (turn.current !== mine) return;
        if (written === null) {
          setError(new Error("no text stands for this question yet, so it cannot be asked here"));
          return;
        }
        understood.current = written;
        setFault(null);
        setError(null);
        now.current = written;
        replace(written);
      },
      (reason: unknown) => {
        if (turn.current === mine) setError(reason);
      },
    );
  }, []);
  return { text, put, spec, dataset, fault, error, setText, setSpec, latest };
}
