// One line of the text form, as a field of a form: with the completion that the question has.

import { useEffect, useRef } from "preact/hooks";
import { makeEditor } from "./editor";

interface Props {
  label: string;
  hint?: string;
  dataset: string;
  /** What stands before it in a question, so that completion knows what may be typed. */
  before: string;
  /** Enter, or a choice that needs nothing after it. */
  onDone: (text: string) => void;
  onEscape?: () => void;
}

export function Line(props: Props) {
  const place = useRef<HTMLSpanElement>(null);
  const now = useRef(props);
  now.current = props;
  useEffect(() => {
    if (!place.current) return;
    const done = () => {
      const text = made.text().trim();
      if (text) now.current.onDone(text);
    };
    const made = makeEditor(place.current, "", {
      label: props.label,
      hint: props.hint ?? "",
      around: () => ({ dataset: now.current.dataset, before: now.current.before, piece: true }),
      onChange: () => undefined,
      onRun: done,
      onEnter: done,
      onWhole: done,
      ...(props.onEscape ? { onEscape: () => now.current.onEscape?.() } : {}),
    });
    return () => made.view.destroy();
  }, []);
  return <span class="ask-line-field" ref={place} />;
}
