// The field in which one types which events are compared, and what else selects them.

import { writeJson } from "../../../api/exact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Problem } from "../../../parts/problem";
import { useAnswer } from "../../../parts/use_answer";
import type { TextFault } from "../use_question";
import { readConditions, wordsOf, writeConditions, type Selection } from "./selection";

interface Props {
  selection: Selection | null;
  onSelect: (selection: Selection | null) => void;
}

export function SelectionForm({ selection, onSelect }: Props) {
  const [typed, setTyped] = useState("");
  const [fault, setFault] = useState<TextFault | null>(null);
  const [error, setError] = useState<unknown>(null);
  const box = useRef<HTMLInputElement>(null);
  const written = useAnswer(writeJson(selection), () => writeConditions(selection ?? {}));
  useEffect(() => setTyped(written.value ?? ""), [written.value]);
  const words = selection ? wordsOf(selection) : [];
  const { filters, filter_combination, ...drawn } = selection ?? {};
  const choose = (next: Selection) => onSelect(Object.keys(next).length ? next : null);
  const submit = async () => {
    setFault(null);
    setError(null);
    if (!typed.trim()) return choose(drawn);
    try {
      const read = await readConditions(typed);
      if ("filters" in read) return choose({ ...drawn, ...read });
      setFault(read);
      box.current?.focus();
      box.current?.setSelectionRange(read.start, read.end);
    } catch (reason) {
      setError(reason);
    }
  };
  const keep = () =>
    choose({ ...(filters ? { filters } : {}), ...(filter_combination ? { filter_combination } : {}) });
  return (
    <form
      class="selection"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <label for="selection">selected</label>
      {words.length > 0 && (
        <span class="chosen">
          {words.join(", ")}
          <button type="button" aria-label="Without this part of the selection" onClick={keep}>
            ×
          </button>
        </span>
      )}
      <input
        id="selection"
        ref={box}
        class="mono"
        placeholder="duration_ms > 500"
        autocomplete="off"
        spellcheck={false}
        value={typed}
        aria-invalid={fault !== null}
        aria-describedby={fault ? "selection-fault" : undefined}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      <button>Compare</button>
      {fault && (
        <p id="selection-fault" class="error" role="alert">
          ✕ {fault.why}
          {fault.hint && `; ${fault.hint}`}
        </p>
      )}
      {written.value === null && filters && <p class="quiet">Its conditions cannot be written as text.</p>}
      {error !== null && <Problem error={error} />}
    </form>
  );
}
