// What is chosen once for a question: how many groups, the step in time, the compared period.

import type { ComponentChildren } from "preact";
import type { Query } from "../../../../api/types";
import type { TextFault } from "../../use_question";
import { EARLIER, STEPS } from "../typing/words";
import { sayLength } from "./say";

interface Props {
  spec: Query;
  faults: readonly TextFault[];
  onSpec: (spec: Query) => void;
  children?: ComponentChildren;
}

const LIMITS = [5, 10, 20, 50, 100, 500, 1000] as const;

export function Settings({ spec, faults, onSpec, children }: Props) {
  const wrong = (member: Setting) => faults.find((one) => one.member === member)?.why;
  return (
    <div class="ask-row ask-settings">
      <Chosen
        label="limit"
        wrong={wrong("limit")}
        value={spec.limit}
        none="as usual"
        options={LIMITS.map((one) => [one, String(one)] as const)}
        shown={String}
        onValue={(limit) => onSpec(put(spec, "limit", limit))}
      />
      <Chosen
        label="every"
        wrong={wrong("granularity")}
        value={spec.granularity}
        none="as fits"
        options={STEPS.map((one) => [secondsOf(one), one] as const)}
        shown={sayLength}
        onValue={(granularity) => onSpec(put(spec, "granularity", granularity))}
      />
      <Chosen
        label="compare"
        wrong={wrong("compare_time_offset_seconds")}
        value={spec.compare_time_offset_seconds}
        none="with nothing"
        options={EARLIER.map((one) => [secondsOf(one), `${one} ago`] as const)}
        shown={(seconds) => `${sayLength(seconds)} ago`}
        onValue={(earlier) => onSpec(put(spec, "compare_time_offset_seconds", earlier))}
      />
      {spec.usage_mode && (
        <span class="ask-chip">
          <span class="mono">UNWEIGHTED</span>
          <button class="ask-x" aria-label="Remove UNWEIGHTED" onClick={() => onSpec(put(spec, "usage_mode", undefined))}>
            ×
          </button>
        </span>
      )}
      <span class="ask-more">
        {children}
        {!spec.usage_mode && (
          <button class="small quiet" title="Count stored events, not what they stand for" onClick={() => onSpec(put(spec, "usage_mode", true))}>
            + unweighted
          </button>
        )}
      </span>
    </div>
  );
}

interface ChosenProps {
  label: string;
  wrong: string | undefined;
  value: number | undefined;
  none: string;
  options: readonly (readonly [number, string])[];
  shown: (value: number) => string;
  onValue: (value: number | undefined) => void;
}

function Chosen({ label, wrong, value, none, options, shown, onValue }: ChosenProps) {
  const known = value === undefined || options.some(([one]) => one === value);
  return (
    <label class="ask-chosen">
      <span class="ask-label">{label}</span>
      <select
        aria-invalid={wrong === undefined ? undefined : true}
        title={wrong}
        value={value === undefined ? "" : String(value)}
        onChange={(event) => {
          const chosen = event.currentTarget.value;
          onValue(chosen === "" ? undefined : Number(chosen));
        }}
      >
        <option value="">{none}</option>
        {!known && <option value={String(value)}>{shown(value)}</option>}
        {options.map(([one, text]) => (
          <option key={one} value={String(one)}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

type Setting = "limit" | "granularity" | "compare_time_offset_seconds" | "usage_mode";

function put<K extends Setting>(spec: Query, member: K, value: Query[K] | undefined): Query {
  const { [member]: _, ...rest } = spec;
  return value === undefined ? rest : { ...rest, [member]: value };
}

const SIZES: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds of a length with one unit. */
export function secondsOf(length: string): number {
  return Number.parseInt(length, 10) * (SIZES[length.at(-1) ?? "s"] ?? 1);
}
