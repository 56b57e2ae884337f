// The field in which one types which events are compared, and what else selects them.

import { writeJson } from "../../../api/exact";
import { useRef, useState } from "preact/hooks";
import { Problem } from "../../../parts/problem";
import { useAnswer } from "../../../parts/use_answer";
import { LastingLine } from "../question/typing/lasting_line";
import type { TextFault } from "../use_question";
import { readConditions, WHERE, wordsOf, writeConditions, type Selection } from "./selection";

interface Props {
  dataset: string;
  selection: Selection | null;
  onSelect: (selection: Selection | null) => void;
}

export function SelectionForm({ dataset, selection, onSelect }: Props) {
  const typed = useRef("");
  const [fault, setFault] = useState<TextFault | null>(null);
  const [error, setError] = useState<unknown>(null);
  const written = useAnswer(writeJson(selection), () => writeConditions(selection ?? {}));
  const words = selection ? wordsOf(selection) : [];
  const { filters, filter_combination, ...drawn } = selection ?? {};
  const choose = (next: Selection) => onSelect(Object.keys(next).length ? next : null);
  const submit = async () => {
    setFault(null);
    setError(null);
    if (!typed.current.trim()) return choose(drawn);
    try {
      const read = await readConditions(typed.current);
      if ("filters" in read) return choose({ ...drawn, ...read });
      setFault(read);
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
      <span class="quiet">selected</span>
      {words.length > 0 && (
        <span class="chosen">
          {words.join(", ")}
          <button type="button" aria-label="Without this part of the selection" onClick={keep}>
            ×
          </button>
        </span>
      )}
      <LastingLine
        label="selected"
        hint="duration_ms > 500"
        before={WHERE}
        dataset={dataset}
        text={written.value ?? ""}
        marked={fault}
        onText={(text) => {
          typed.current = text;
          setFault(null);
        }}
        onDone={() => void submit()}
      />
      <button>Compare</button>
      {fault && (
        <p class="error" role="alert">
          ✕ {fault.why}
          {fault.hint && `; ${fault.hint}`}
        </p>
      )}
      {written.value === null && filters && <p class="quiet">Its conditions cannot be written as text.</p>}
      {error !== null && <Problem error={error} />}
    </form>
  );
}
