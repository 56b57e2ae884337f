// The time range: a step earlier or later, wider, one of the usual lengths, or moments in words.

import { useRef, useState } from "preact/hooks";
import type { Query } from "../../../../api/types";
import { utcOf } from "../../../../look/times";
import { readQuestion, type TextFault } from "../../use_question";
import { LENGTHS } from "../typing/words";
import { secondsOf } from "../builder/settings";
import { lengthInWords, moved, rangeInWords, rangeOf, widened, withRange } from "./range";

interface Props {
  spec: Query;
  open: boolean;
  onOpen: (open: boolean) => void;
  /** Another range, which is asked about at once. */
  onSpec: (spec: Query) => void;
}

export function TimeRange({ spec, open, onOpen, onSpec }: Props) {
  const range = rangeOf(spec);
  const hover = range.end === null ? undefined : `${utcOf(range.end - range.length)} – ${utcOf(range.end)}`;
  return (
    <span class="ask-times">
      <button title="Earlier ( [ )" aria-label="Earlier" onClick={() => onSpec(moved(spec, -1))}>
        ‹
      </button>
      <button class="ask-range" aria-expanded={open} title={hover} onClick={() => onOpen(!open)}>
        {rangeInWords(spec)}
        {spec.time_axis === "end" && " by end"} ▾
      </button>
      <button title="Later ( ] )" aria-label="Later" disabled={range.end === null} onClick={() => onSpec(moved(spec, 1))}>
        ›
      </button>
      <button title="Twice as long ( z )" onClick={() => onSpec(widened(spec))}>
        Zoom out
      </button>
      {open && (
        <Choice
          spec={spec}
          onSpec={(next) => {
            onOpen(false);
            onSpec(next);
          }}
          onClose={() => onOpen(false)}
        />
      )}
    </span>
  );
}

function Choice({ spec, onSpec, onClose }: { spec: Query; onSpec: (spec: Query) => void; onClose: () => void }) {
  const range = rangeOf(spec);
  const iso = (s: number) => new Date((s - new Date(s * 1000).getTimezoneOffset() * 60) * 1000).toISOString().slice(0, 19).replace("T", " ");
  const [from, setFrom] = useState(range.end === null ? `${lengthInWords(range.length)} ago` : iso(range.end - range.length));
  const [to, setTo] = useState(range.end === null ? "now" : iso(range.end));
  const [wrong, setWrong] = useState<TextFault | null>(null);
  const busy = useRef(false);
  const apply = async () => {
    if (busy.current) return;
    busy.current = true;
    try {
      const until = to.trim() && to.trim().toLowerCase() !== "now" ? ` UNTIL ${to}` : "";
      const last = from.trim().replace(/^last\s+/i, "LAST ");
      const { spec: read, fault } = await readQuestion(last.startsWith("LAST ") ? `COUNT ${last}` : `COUNT SINCE ${from}${until}`);
      if (!read) return setWrong(fault);
      const { start_time: start, end_time: end, time_range: length } = read;
      if (start !== undefined && end !== undefined) onSpec(withRange(spec, { end, length: end - start }));
      else if (length !== undefined) onSpec(withRange(spec, { end: null, length }));
    } catch {
      setWrong({ why: "the server cannot be reached", hint: "", start: 0, end: 0 });
    } finally {
      busy.current = false;
    }
  };
  const axis = (event: Event & { currentTarget: HTMLInputElement }) => {
    const { time_axis: _, ...rest } = withRange(spec, range);
    onSpec(event.currentTarget.checked ? { ...rest, time_axis: "end" } : rest);
  };
  return (
    <form
      class="ask-choice panel"
      aria-label="Time range"
      onSubmit={(event) => {
        event.preventDefault();
        void apply();
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <div class="ask-lengths">
        {LENGTHS.map((one, at) => (
          <button
            key={one}
            type="button"
            autoFocus={at === 0}
            aria-pressed={range.end === null && range.length === secondsOf(one)}
            onClick={() => onSpec(withRange(spec, { end: null, length: secondsOf(one) }))}
          >
            {lengthInWords(secondsOf(one))}
          </button>
        ))}
      </div>
      <label>
        from <input class="mono" value={from} onInput={(event) => setFrom(event.currentTarget.value)} />
      </label>
      <label>
        to <input class="mono" value={to} onInput={(event) => setTo(event.currentTarget.value)} />
      </label>
      <p class="quiet small">2h ago · yesterday 14:00 · monday · 2026-01-31 12:00 · unix time</p>
      {wrong && (
        <p class="error small" role="alert">
          ✕ {wrong.why}
          {wrong.hint && ` – ${wrong.hint}`}
        </p>
      )}
      <label class="small">
        <input type="checkbox" checked={spec.time_axis === "end"} onChange={axis} /> by the time at which spans end
      </label>
      <div>
        <button class="main" type="submit">
          Apply
        </button>
      </div>
    </form>
  );
}
