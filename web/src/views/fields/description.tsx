// What people say of a field: read, and edited in its place.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { call } from "../../api/client";
import { wordsOf } from "../../parts/problem";
import { takeFocus } from "../../parts/take_focus";

interface Props {
  dataset: string;
  field: string;
  text: string;
  onSaved: () => void;
}

export function Description({ dataset, field, text, onSaved }: Props) {
  const [typed, setTyped] = useState<string | null>(null);
  const [fault, setFault] = useState("");
  const [saving, setSaving] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const edited = useRef(false);
  useLayoutEffect(() => {
    // The form that had the focus is gone.
    if (typed === null && edited.current && document.activeElement === document.body) opener.current?.focus();
    edited.current = typed !== null;
  }, [typed]);
  const save = async (description: string) => {
    setSaving(true);
    setFault("");
    try {
      const found = await call("listColumns", { path: { dataset }, query: { key_name: field } });
      const column = Array.isArray(found) ? found.find((one) => one.key_name === field) : found;
      if (!column) throw new Error("The field is not among the dataset's columns yet.");
      await call("updateColumn", { path: { dataset, id: column.id }, body: { description } });
      setTyped(null);
      onSaved();
    } catch (reason) {
      setFault(wordsOf(reason));
    } finally {
      setSaving(false);
    }
  };
  if (typed === null) {
    return (
      <>
        {text}{" "}
        <button ref={opener} class="small quiet" aria-label={text ? `edit the description of ${field}` : `describe ${field}`} onClick={() => setTyped(text)}>
          {text ? "edit" : "describe"}
        </button>
      </>
    );
  }
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        void save(typed.trim());
      }}
    >
      <input aria-label={`Description of ${field}`} value={typed} ref={takeFocus} onInput={(event) => setTyped(event.currentTarget.value)} onKeyDown={(event) => event.key === "Escape" && (event.preventDefault(), setTyped(null))} />
      <button class="small" disabled={saving}>Save</button>
      <button class="small" type="button" onClick={() => setTyped(null)}>Cancel</button>
      {fault && <span class="error" role="alert">✕ {fault}</span>}
    </form>
  );
}
