// A field of a form with a part of the text form that stays in it: conditions, a range. It has the
// completion of the question, and marks the words that are not understood.

import { useEffect, useRef } from "preact/hooks";
import { makeEditor, type Editor, type Marked } from "./editor";

interface Props {
  label: string;
  hint?: string;
  dataset: string;
  /** What stands before it in a question, so that completion knows what may be typed. */
  before: string;
  /** Clauses that may be typed; none without it. */
  clauses?: RegExp;
  /** What stands there until something is typed; another one takes the place of what was typed. */
  text: string;
  marked: Marked | null;
  /** What was typed; it must not come back as `text`, which would undo what was typed since. */
  onText: (text: string) => void;
  /** Enter. */
  onDone: () => void;
}

export function LastingLine(props: Props) {
  const place = useRef<HTMLSpanElement>(null);
  const editor = useRef<Editor | null>(null);
  const now = useRef(props);
  now.current = props;
  useEffect(() => {
    if (!place.current) return;
    const done = () => now.current.onDone();
    const made = makeEditor(place.current, now.current.text, {
      label: props.label,
      hint: props.hint ?? "",
      around: () => {
        const { dataset, before, clauses } = now.current;
        return { dataset, before, piece: clauses === undefined, ...(clauses ? { clauses } : {}) };
      },
      onChange: (text) => now.current.onText(text),
      onRun: done,
      onEnter: done,
    });
    editor.current = made;
    return () => made.view.destroy();
  }, []);
  useEffect(() => editor.current?.set(props.text), [props.text]);
  const { marked } = props;
  useEffect(() => {
    const made = editor.current;
    made?.mark(marked ? [marked] : []);
    if (!made || !marked) return;
    const { length } = made.text();
    made.view.focus();
    made.view.dispatch({ selection: { anchor: Math.min(marked.start, length), head: Math.min(marked.end, length) } });
  }, [marked]);
  return <span class="ask-line-field lasting" ref={place} />;
}
