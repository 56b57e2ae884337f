// Traces of the events that were chosen: the slowest, one near the median, one that failed.

import { linkTo } from "../../../address";
import { call } from "../../../api/client";
import { writeJson } from "../../../api/exact";
import type { Query } from "../../../api/types";
import { shown, unitOf } from "../../../look/units";
import { wordsOf } from "../../../parts/problem";
import { useAnswer } from "../../../parts/use_answer";
import type { Range } from "../graphs/answer";
import type { QueryPlace } from "../graphs/change";
import { heldTo } from "../differs/held";

interface Props {
  place: QueryPlace;
  /** Which events. */
  spec: Query;
  range: Range | null;
  /** The field whose numbers are compared; null: durations. */
  column: string | null;
  onClose: () => void;
  /** Whether they are items of a menu. */
  menu?: boolean;
}

export function Examples({ place, spec, range, column, onClose, menu = false }: Props) {
  const body = { dataset: place.dataset, query: heldTo(spec, range), ...(column ? { column } : {}) };
  const { value, error } = useAnswer(writeJson(body), (signal) => call("exampleTraces", { body, signal }));
  if (error !== null) return <p class="small quiet">Its traces are not known: {wordsOf(error)}</p>;
  const unit = unitOf(column ?? "duration_ms");
  const most = column === null || unit.unit === "duration" ? "Slowest trace" : `Trace of the largest`;
  const named = [
    [most, value?.slowest, "none has a number"],
    ["Typical trace", value?.typical, "none has a number"],
    ["Failed trace", value?.failed, "none failed"],
  ] as const;
  return (
    <>
      {named.map(([name, found, none]) =>
        found ? (
          <a
            key={name}
            {...(menu ? { role: "menuitem" as const } : {})}
            class="example"
            {...toTrace(found, onClose)}
          >
            {name} <span class="quiet">{shown(found.value, unit)}</span>
          </a>
        ) : (
          <button key={name} {...(menu ? { role: "menuitem" as const } : {})} class="example" disabled>
            {name} <span>{value === undefined ? "…" : value.events ? none : "in no trace"}</span>
          </button>
        ),
      )}
    </>
  );
}

function toTrace({ trace_id: id, span_id: span }: { trace_id: string; span_id: string | null }, onClose: () => void) {
  const { href, onClick } = linkTo({ view: "trace", id, ...(span ? { span } : {}) });
  return {
    href,
    onClick(event: MouseEvent) {
      onClick(event);
      if (event.defaultPrevented) onClose();
    },
  };
}
