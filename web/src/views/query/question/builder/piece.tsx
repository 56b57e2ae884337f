// Where one piece is typed: an editor of one line, with the completion of the whole text form.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Query } from "../../../../api/types";
import { makeEditor, type Editor } from "../typing/editor";
import { readPiece, type PieceFault, type Row } from "./rows";

interface Props {
  row: Row;
  spec: Query;
  dataset: string;
  /** Which piece of the row it is. */
  at: number;
  text: string;
  /** Whether it takes the focus at once, as where a piece was clicked. */
  focus: boolean;
  /** What was typed: null for an emptied piece. */
  onDone: (read: Query | null, goOn: boolean) => void;
  onLeave: () => void;
  /** Backspace in an empty one. */
  onBack?: () => void;
  onRun: () => void;
}

export function Piece(props: Props) {
  const place = useRef<HTMLSpanElement>(null);
  const now = useRef(props);
  now.current = props;
  const [fault, setFault] = useState<PieceFault | null>(null);
  // Before the next key comes, which is meant for it.
  useLayoutEffect(() => {
    if (!place.current) return;
    let busy = false;
    let gone = false;
    let finished = false;
    const commit = async (goOn: boolean): Promise<boolean> => {
      const { row, spec, onDone, onLeave } = now.current;
      const text = made.text().trim();
      if (finished) return true; // leaving it after it was read
      if (text === now.current.text.trim()) return onLeave(), true;
      if (!text) {
        finished = true;
        return onDone(null, goOn), true;
      }
      if (busy) return false;
      busy = true;
      try {
        const found = await readPiece(row, spec, now.current.at, text);
        if (gone) return true;
        if ("fault" in found) {
          setFault(found.fault);
          made.mark([found.fault]);
          return false;
        }
        if (now.current.text) finished = true;
        else made.set("");
        onDone(found.read, goOn);
        return true;
      } catch {
        setFault({ why: "the server cannot be reached", hint: "", start: 0, end: text.length });
        return false;
      } finally {
        busy = false;
      }
    };
    const made: Editor = makeEditor(place.current, props.text, {
      label: props.text ? `${props.row.label}: ${props.text}` : `Add to ${props.row.label}`,
      hint: props.text ? "" : "+",
      around: () => ({ dataset: now.current.dataset, before: now.current.row.before(now.current.spec, now.current.at), piece: true }),
      onChange: () => {
        setFault(null);
        made.mark([]);
      },
      onEnter: () => void commit(true),
      // an expression goes on as long as one likes
      ...(props.row.name === "let" ? {} : { onWhole: () => void commit(true) }),
      onRun: () =>
        void commit(false).then((fine) => {
          if (!fine) return;
          if (!gone) made.view.contentDOM.blur(); // the next key is about the answer
          now.current.onRun();
        }),
      onLeave: () => void commit(false),
      onEscape: () => {
        made.set(now.current.text);
        made.view.contentDOM.blur();
        now.current.onLeave();
      },
      onBack: () => now.current.onBack?.(),
    });
    if (props.focus) {
      made.view.focus();
      made.view.dispatch({ selection: { anchor: props.text.length } });
    }
    return () => {
      gone = true;
      made.view.destroy();
    };
  }, []);
  return (
    <span class={props.text ? "ask-piece editing" : "ask-piece"}>
      <span ref={place} />
      {fault && (
        <span class="ask-piece-fault small error" role="alert">
          ✕ {fault.why}
          {fault.hint && <span class="quiet"> – {fault.hint}</span>}
        </span>
      )}
    </span>
  );
}
