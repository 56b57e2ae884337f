// The keys of the question, and the list of them.

import { useEffect, useRef } from "preact/hooks";
import { takeFocus } from "../../../../parts/take_focus";

export interface Key {
  key: string;
  about: string;
  do: () => void;
  /** Whether it does nothing now, so that others may have it. */
  idle?: boolean;
}

/** Do what a key stands for, unless something is typed somewhere. */
export function useKeys(keys: readonly Key[]): void {
  const now = useRef(keys);
  now.current = keys;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key !== "Escape" && isTyping(event.target)) return;
      const found = now.current.find((one) => one.key === event.key && !one.idle);
      if (!found) return;
      event.preventDefault();
      found.do();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
}

export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

const ALWAYS = [
  { key: "Ctrl-Enter", about: "run the question, from anywhere" },
  { key: "Ctrl-Z", about: "undo a change of the question; Ctrl-Y: redo" },
  { key: "Ctrl-V", about: "outside of fields: a pasted text, link, command or specification is the question" },
  { key: "Ctrl-Space", about: "what may be typed here" },
  { key: "Tab or Enter", about: "take what is offered; Enter alone: the piece is done" },
  { key: "Backspace", about: "in an empty place: edit the piece before it" },
  { key: "Delete", about: "on a piece: take it away" },
  { key: "Arrows", about: "in a graph: its crosshair, with Shift a part of it, then Enter; in rows: the next one" },
];

export function KeyList({ keys, onClose }: { keys: readonly Key[]; onClose: () => void }) {
  return (
    <section class="ask-aid" aria-label="Keys" tabIndex={-1} ref={takeFocus}>
      <div class="spread">
        <h3>Keys</h3>
        <button onClick={onClose}>Close</button>
      </div>
      <dl class="ask-keys">
        {[...keys, ...ALWAYS].map((one) => (
          <div key={one.key}>
            <dt>
              <kbd>{one.key}</kbd>
            </dt>
            <dd>{one.about}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
