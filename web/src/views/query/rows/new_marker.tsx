// A marker at a moment of a graph: what happened then, for all who look at this dataset.

import { useRef, useState } from "preact/hooks";
import { call } from "../../../api/client";
import { timeOf, utcOf } from "../../../look/times";
import { wordsOf } from "../../../parts/problem";
import { takeFocus } from "../../../parts/take_focus";
import { useAnswer } from "../../../parts/use_answer";

interface Props {
  dataset: string;
  /** Unix seconds. */
  at: number;
  onMark: () => void;
  onClose: () => void;
}

export function NewMarker({ dataset, at, onMark, onClose }: Props) {
  const [open, setOpen] = useState(false);
  const [message, setMessage] = useState("");
  const [url, setUrl] = useState("");
  const [fault, setFault] = useState<unknown>(null);
  const busy = useRef(false);
  const rights = useAnswer("rights", (signal) => call("session", { signal })).value?.rights;
  const time = Math.round(at);
  if (!rights?.["markers"]) return null;
  if (!open) return <button onClick={() => setOpen(true)}>Put a marker here …</button>;
  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy.current) return; // two clicks are one marker
    busy.current = true;
    const body = { start_time: time, message: message.trim(), ...(url.trim() ? { url: url.trim() } : {}) };
    try {
      await call("createMarker", { path: { dataset }, body });
      onMark();
      onClose();
    } catch (reason) {
      setFault(reason);
    } finally {
      busy.current = false;
    }
  };
  return (
    <form class="new-marker" onSubmit={(event) => void submit(event)}>
      <span class="small quiet" title={utcOf(time)}>a marker at {timeOf(time)}</span>
      <label>
        <span class="hidden">What happened</span>
        <input placeholder="what happened" required ref={takeFocus} value={message} onInput={(event) => setMessage(event.currentTarget.value)} />
      </label>
      <label>
        <span class="hidden">Where it leads</span>
        <input type="url" placeholder="https://… (if it leads anywhere)" value={url} onInput={(event) => setUrl(event.currentTarget.value)} />
      </label>
      <button class="main">Put it there</button>
      {fault !== null && <p class="error small" role="alert">✕ {wordsOf(fault)}</p>}
    </form>
  );
}
