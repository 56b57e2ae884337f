// The question as text, in an editor.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { TextFault } from "../use_question";
import { makeEditor, type Editor } from "./typing/editor";
import { utf16Of } from "./typing/offsets";

interface Props {
  text: string;
  /** A text that the editor takes over, once for each object. */
  put: { text: string };
  faults: readonly TextFault[];
  dataset: string;
  datasets: () => Promise<string[]>;
  onText: (text: string) => void;
  onRun: (text: string) => void;
  /** What is done with a text that is pasted; true if that is all. */
  onPaste: (text: string) => boolean;
  /** Called with the editor once it is there, for undo and for keys that go to it. */
  onEditor: (editor: Editor | null) => void;
  /** What stands at the end of the line under the text. */
  children?: ComponentChildren;
}

export function TextForm({ text, put, faults, dataset, datasets, onText, onRun, onPaste, onEditor, children }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const editor = useRef<Editor | null>(null);
  const now = useRef({ dataset, datasets, onText, onRun, onPaste });
  now.current = { dataset, datasets, onText, onRun, onPaste };
  useEffect(() => {
    if (!place.current) return;
    const made = makeEditor(place.current, text, {
      label: "The question as text",
      hint: "COUNT WHERE … GROUP BY … LAST 2h",
      around: () => ({ ...now.current, before: "", piece: false }),
      onChange: (next) => now.current.onText(next),
      onRun: () => now.current.onRun(made.text()),
      onPaste: (pasted) => now.current.onPaste(pasted),
    });
    editor.current = made;
    onEditor(made);
    return () => {
      editor.current = null;
      onEditor(null);
      made.view.destroy();
    };
  }, []);
  useEffect(() => editor.current?.set(put.text), [put]);
  useEffect(() => {
    editor.current?.mark(
      faults.map((one) => ({ start: utf16Of(text, one.start), end: utf16Of(text, one.end), why: one.why })),
    );
  }, [faults]);
  const select = (fault: TextFault) => {
    const made = editor.current;
    if (!made) return;
    const length = made.text().length;
    const [anchor, head] = [utf16Of(text, fault.start), utf16Of(text, fault.end)].map((one) => Math.min(one, length));
    made.view.dispatch({ selection: { anchor: anchor ?? 0, head: head ?? 0 } });
    made.view.focus();
  };
  return (
    <>
      <div class="ask-text" ref={place} />
      <div class="ask-under">
        <div class="ask-faults small" role={faults.length ? "alert" : undefined}>
          <ul>
          {faults.map((one) => (
            <li key={`${one.start} ${one.why}`}>
              <button class="small" title="Show the word" onClick={() => select(one)}>
                <FaultWords text={text} fault={one} />
              </button>
            </li>
          ))}
          </ul>
        </div>
        {children}
      </div>
    </>
  );
}

/** What is wrong with a word, and what would have worked. */
export function FaultWords({ text, fault }: { text: string; fault: TextFault }) {
  const word = text.slice(utf16Of(text, fault.start), utf16Of(text, fault.end));
  return (
    <span class="error">
      ✕ {word && <code>{word}</code>} {fault.why}
      {fault.hint && <span class="quiet"> – {fault.hint.replaceAll("\n", "; ")}</span>}
    </span>
  );
}
