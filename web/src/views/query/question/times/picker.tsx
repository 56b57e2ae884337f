// The time range: a step earlier or later, wider, one of the usual lengths, or moments in words.

import { useRef, useState } from "preact/hooks";
import type { Query } from "../../../../api/types";
import { utcOf } from "../../../../look/times";
import { takeFocus } from "../../../../parts/take_focus";
import { readQuestion, type TextFault } from "../../use_question";
import { LENGTHS } from "../typing/words";
import { secondsOf } from "../builder/settings";
import type { Change } from "../use_draft";
import { areEvents } from "../builder/rows";
import { sayLength } from "../builder/say";
import { fromWords, lengthInWords, moved, rangeInWords, rangeOf, saidInWords, widened, withRange, withTimes } from "./range";

interface Props {
  spec: Query;
  /** The words of the range in the text. */
  words: string | null;
  open: boolean;
  onOpen: (open: boolean) => void;
  /** Another range, which is asked about at once. */
  onSpec: (spec: Query, change?: Change) => void;
}

export function TimeRange({ spec, words, open, onOpen, onSpec }: Props) {
  const range = rangeOf(spec);
  const hover = range.end === null ? undefined : `${utcOf(range.end - range.length)} – ${utcOf(range.end)}`;
  return (
    <span class="ask-times">
      <button title="Earlier ( [ )" aria-label="Earlier" onClick={() => onSpec(moved(spec, -1))}>
        ‹
      </button>
      <button class="ask-range" aria-expanded={open} title={hover} onClick={() => onOpen(!open)}>
        {saidInWords(words) ?? rangeInWords(spec)}
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
          words={words}
          onSpec={(next, change) => {
            onOpen(false);
            onSpec(next, change);
          }}
          onClose={() => onOpen(false)}
        />
      )}
    </span>
  );
}

interface ChoiceProps {
  spec: Query;
  words: string | null;
  onSpec: (spec: Query, change?: Change) => void;
  onClose: () => void;
}

function Choice({ spec, words, onSpec, onClose }: ChoiceProps) {
  const range = rangeOf(spec);
  const iso = (s: number) => new Date((s - new Date(s * 1000).getTimezoneOffset() * 60) * 1000).toISOString().slice(0, 19).replace("T", " ");
  const said = fromWords(words);
  const [from, setFrom] = useState(said?.from ?? (range.end === null ? `${lengthInWords(range.length)} ago` : iso(range.end - range.length)));
  const [to, setTo] = useState(said?.to ?? (range.end === null ? "now" : iso(range.end)));
  const [wrong, setWrong] = useState<TextFault | null>(null);
  const busy = useRef(false);
  const by = spec.time_axis === undefined || spec.time_axis === "start" ? "" : ` BY ${spec.time_axis.toUpperCase()}`;
  const ask = async (typed: string) => {
    if (busy.current) return;
    busy.current = true;
    try {
      const { spec: read, fault, range: next } = await readQuestion(`${areEvents(spec) ? "SELECT *" : "COUNT"} ${typed}`);
      if (!read || fault || next === null) return setWrong(fault ?? { why: "is no range", hint: "", start: 0, end: 0 });
      onSpec(withTimes(spec, read), { range: next });
    } catch {
      setWrong({ why: "the server cannot be reached", hint: "", start: 0, end: 0 });
    } finally {
      busy.current = false;
    }
  };
  const apply = () => {
    const last = /^last\s+/i.test(from.trim()) ? from.trim().replace(/^last\s+/i, "LAST ") : `SINCE ${from.trim()}`;
    const until = to.trim() && to.trim().toLowerCase() !== "now" ? ` UNTIL ${to.trim()}` : "";
    return ask(last + until + by);
  };
  const axis = (name: string) => {
    const said = (words ?? `LAST ${sayLength(range.length)}`).replace(/\s+BY\s+(START|END|OVERLAP)\b/i, "");
    void ask(name === "start" ? said : `${said} BY ${name.toUpperCase()}`);
  };
  return (
    <form
      class="ask-choice panel"
      aria-label="Time range"
      onSubmit={(event) => {
        event.preventDefault();
        void apply();
      }}
      onFocusOut={({ currentTarget, relatedTarget }) => {
        // Tab went on: it would lie over what is reached next.
        if (relatedTarget instanceof Node && !currentTarget.contains(relatedTarget)) onClose();
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        onClose();
      }}
    >
      <div class="ask-lengths">
        {LENGTHS.map((one, at) => (
          <button
            key={one}
            type="button"
            {...(at === 0 ? { ref: takeFocus } : {})}
            aria-pressed={range.end === null && range.length === secondsOf(one)}
            onClick={() => onSpec(withRange(spec, { end: null, length: secondsOf(one) }))}
          >
            {lengthInWords(secondsOf(one))}
          </button>
        ))}
      </div>
      <label class="ask-moment">
        from <input class="mono" value={from} onInput={(event) => setFrom(event.currentTarget.value)} />
      </label>
      <label class="ask-moment">
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
        events by when they{" "}
        <select value={spec.time_axis ?? "start"} onChange={(event) => axis(event.currentTarget.value)}>
          <option value="start">began</option>
          <option value="end">ended</option>
          {areEvents(spec) && <option value="overlap">were open</option>}
        </select>
      </label>
      <div>
        <button class="main" type="submit">
          Apply
        </button>
      </div>
    </form>
  );
}
