// In which form lines are drawn. Stacking adds up, so only what may be added is stacked.

import { go } from "../../../address";
import type { Calculation, Line } from "./answer";
import type { QueryPlace } from "./change";

export type Form = "line" | "stacked" | "bar";

const FORMS: readonly [Form, string][] = [
  ["line", "Lines"],
  ["stacked", "Stacked"],
  ["bar", "Bars"],
];

/** Whether the values of groups may be added: a sum of percentiles is nothing. */
export function addable({ op }: Pick<Calculation, "op">, lines: Iterable<Line>): boolean {
  if (op !== "COUNT" && op !== "SUM" && op !== "RATE_SUM") return false;
  for (const line of lines) if (line.some((value) => value !== null && value < 0)) return false;
  return true;
}

export function formOf(place: QueryPlace): Form {
  return FORMS.find(([form]) => form === place.form)?.[0] ?? "line";
}

/** Whether lines stand on a logarithmic axis. Heights that are added up do not. */
export function isLog(place: QueryPlace): boolean {
  return place.log === "1" && formOf(place) === "line";
}

export function FormChoice({ place }: { place: QueryPlace }) {
  const now = formOf(place);
  const choose = (form: Form) => {
    const { form: _, ...kept } = place;
    go(form === "line" ? kept : { ...kept, form }, { replace: true });
  };
  const toggleLog = () => {
    const { log, ...kept } = place;
    go(log === "1" ? kept : { ...kept, log: "1" }, { replace: true });
  };
  return (
    <span class="row small" role="group" aria-label="Form of the graphs">
      {FORMS.map(([form, name]) => (
        <button key={form} class="small form" aria-pressed={now === form} onClick={() => choose(form)}>
          {name}
        </button>
      ))}
      <button
        class="small form"
        aria-pressed={isLog(place)}
        disabled={now !== "line"}
        title={now === "line" ? "Each step of the axis is ten times the one before" : "Heights that are added up need an even axis"}
        onClick={toggleLog}
      >
        Log
      </button>
    </span>
  );
}
