// One marker under the graphs: what it says, where it leads, and for keys that may, to change or delete it.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { call } from "../../../../api/client";
import { timeOf, utcOf } from "../../../../look/times";
import { wordsOf } from "../../../../parts/problem";
import { takeFocus } from "../../../../parts/take_focus";
import { useAnswer } from "../../../../parts/use_answer";
import type { Marker } from "./markers";

interface Props {
  marker: Marker;
  /** It was changed or deleted. */
  onChange: () => void;
  onClose: () => void;
}

export function OneMarker({ marker, onChange, onClose }: Props) {
  const [doing, setDoing] = useState<"edit" | "delete" | null>(null);
  const [fault, setFault] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const box = useRef<HTMLElement>(null);
  const session = useAnswer("rights", (signal) => call("session", { signal }));
  const may = session.value?.rights["markers"] === true;
  useLayoutEffect(() => box.current?.focus(), [marker.id]);
  // Where a form was is where one goes on.
  useLayoutEffect(() => {
    if (doing === null && document.activeElement === document.body) box.current?.focus();
  }, [doing]);
  const path = { dataset: marker.dataset, id: marker.id };
  const change = async (make: () => Promise<unknown>) => {
    setBusy(true);
    setFault(null);
    try {
      await make();
      onChange();
      onClose();
    } catch (reason) {
      setFault(reason);
      setBusy(false);
    }
  };
  const save = (event: Event) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement);
    const said = (name: string) => String(given.get(name) ?? "").trim();
    const body = { ...marker.stored, message: said("message"), type: said("type"), url: said("url") };
    void change(() => call("updateMarker", { path, body }));
  };
  return (
    <section
      ref={box}
      class="panel one-marker"
      aria-label="One marker"
      tabIndex={-1}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        if (doing === null) onClose();
        else setDoing(null);
      }}
    >
      <p class="row">
        <strong>{marker.text}</strong>
        <span class="quiet small" title={utcOf(marker.start)}>
          {timeOf(marker.start)}
          {marker.end !== null && ` to ${timeOf(marker.end)}`}
        </span>
        {marker.url && <a href={marker.url} target="_blank" rel="noreferrer">{marker.url} ↗</a>}
        <span class="quiet small">{marker.everywhere && "on all datasets"}</span>
        {may && doing === null && <button onClick={() => setDoing("edit")}>Change</button>}
        {may && doing === null && <button onClick={() => setDoing("delete")}>Delete</button>}
        <button title="Esc" onClick={onClose}>Close</button>
      </p>
      {session.value && !may && <p class="small quiet">This key may not change markers: it lacks the right to manage them.</p>}
      {doing === "edit" && (
        <form class="row" onSubmit={save}>
          <label>
            what happened <input name="message" required defaultValue={marker.stored.message ?? ""} ref={takeFocus} />
          </label>
          <label>
            type <input name="type" size={12} defaultValue={marker.stored.type ?? ""} />
          </label>
          <label>
            leads to <input name="url" type="url" placeholder="https://…" defaultValue={marker.stored.url ?? ""} />
          </label>
          <button class="main" disabled={busy}>Save</button>
          <button type="button" onClick={() => setDoing(null)}>Cancel</button>
        </form>
      )}
      {doing === "delete" && (
        <p class="row">
          All who look at {marker.everywhere ? "any dataset" : "this dataset"} lose it.
          <button class="main" disabled={busy} ref={takeFocus} onClick={() => void change(() => call("deleteMarker", { path }))}>
            Delete it
          </button>
          <button onClick={() => setDoing(null)}>Keep it</button>
        </p>
      )}
      {fault !== null && <p class="error small" role="alert">✕ {wordsOf(fault)}</p>}
    </section>
  );
}
