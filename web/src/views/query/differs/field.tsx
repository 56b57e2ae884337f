// One field that differs: in words, and both distributions side by side. A click on a value asks on.

import { useState } from "preact/hooks";
import { writeJson } from "../../../api/exact";
import { plain, shown, unitOf } from "../../../look/units";
import type { Filter, Query } from "../../../api/types";
import { conditionsOf, narrowed, without } from "../graphs/change";
import { percent, telling, type DifferingField, type NumberField, type Sides, type ValueField } from "./answer";

interface Props {
  field: DifferingField;
  spec: Query;
  /** Fields with values of several types. */
  mixed: ReadonlySet<string>;
  onAsk: (spec: Query) => void;
}

/** Values of one field that are shown before one asks for more. */
const FEW = 6;

/** Something in the picture that can be clicked: a value, the missing ones, or the numbers of a bin. */
interface Part extends Sides {
  /** Apart from all others: 1 and "1" are shown as one word. */
  key: string;
  name: string;
  only: Filter[];
  without: (spec: Query) => Query;
}

export function FieldPicture({ field, spec, mixed, onAsk }: Props) {
  const parts = field.kind === "values" ? valueParts(field, mixed) : binParts(field);
  const [chosen, setChosen] = useState<string | null>(null);
  const part = parts.find((one) => one.key === chosen);
  const group = () => onAsk({ ...spec, breakdowns: [...new Set([...(spec.breakdowns ?? []), field.name])] });
  const choose = (key: string) => setChosen(key === chosen ? null : key);
  return (
    <section class="differing" aria-label={field.name}>
      <h3>{headline(field, parts)}</h3>
      {field.kind === "values" ? (
        <ValueBars parts={parts} others={field.others} chosen={chosen} onChoose={choose} />
      ) : (
        <Histogram parts={parts} field={field} chosen={chosen} onChoose={choose} />
      )}
      {part && (
        <p class="asks">
          <span class="quiet">{part.name}</span>
          <button onClick={() => onAsk(narrowed(spec, part.only))}>Only this</button>
          <button onClick={() => onAsk(part.without(spec))}>Without this</button>
          <button onClick={group}>Group by {field.name}</button>
        </p>
      )}
      {field.sampled && <p class="small quiet">Counted in a sample of the events.</p>}
    </section>
  );
}

function headline(field: DifferingField, parts: readonly Part[]): string {
  if (field.kind === "numbers") {
    const unit = unitOf(field.name);
    const { inside, outside } = field;
    return `${field.name}: median ${shown(inside.median, unit)} inside, ${shown(outside.median, unit)} outside`;
  }
  const first = parts.reduce<Part | null>((best, one) => (!best || telling(one) > telling(best) ? one : best), null);
  if (!first) return field.name;
  const is = first.name === MISSING ? "missing" : `= ${first.name}`;
  return `${field.name} ${is}: ${percent(first.inside.share)} inside, ${percent(first.outside.share)} outside`;
}

const MISSING = "(missing)";

function valueParts(field: ValueField, mixed: ReadonlySet<string>): Part[] {
  const parts = field.values.map((one): Part => partOf(field.name, one.value, shown(one.value), one, mixed));
  if (field.missing.inside.events || field.missing.outside.events) {
    parts.push(partOf(field.name, null, MISSING, field.missing, mixed));
  }
  return parts.sort((one, other) => telling(other) - telling(one));
}

function partOf(
  field: string,
  value: unknown,
  name: string,
  { inside, outside }: Sides,
  mixed: ReadonlySet<string>,
): Part {
  const row = { [field]: value };
  const only = conditionsOf(row, mixed);
  return { key: writeJson(value), name, inside, outside, only, without: (spec) => without(spec, row, mixed) };
}

function binParts(field: NumberField): Part[] {
  const unit = unitOf(field.name);
  const column = field.name;
  const last = field.histogram.length - 1;
  return field.histogram.map(({ from, to, inside, outside }, at): Part => {
    // The first and the last bin have what lies beyond them.
    const low: Filter[] = at > 0 ? [{ column, op: ">=", value: from }] : [];
    const high: Filter[] = at < last ? [{ column, op: "<", value: to }] : [];
    const only = low.length + high.length ? [...low, ...high] : [{ column, op: "exists" as const }];
    const others: Filter[] = [{ column, op: "does-not-exist" }];
    if (at > 0) others.unshift({ column, op: "<", value: from });
    if (at < last) others.unshift({ column, op: ">=", value: to });
    return {
      key: String(at),
      name: `${shown(from, unit)} to ${shown(to, unit)}`,
      inside,
      outside,
      only,
      without: (spec) => narrowed(spec, [{ filter_combination: "OR", filters: others }]),
    };
  });
}

interface Shown {
  parts: readonly Part[];
  chosen: string | null;
  onChoose: (key: string) => void;
}

function ValueBars({ parts, others, chosen, onChoose }: Shown & { others: ValueField["others"] }) {
  const [all, setAll] = useState(false);
  const listed = all ? parts : parts.slice(0, FEW);
  return (
    <div class="value-bars">
      {listed.map((part) => (
        <button key={part.key} aria-pressed={part.key === chosen} onClick={() => onChoose(part.key)}>
          <bdi class="value-name">{part.name}</bdi>
          <Bars sides={part} />
        </button>
      ))}
      {others && others.values > 0 && (all || parts.length <= FEW) && (
        <div class="quiet">
          <span class="value-name">{plain(others.values)} other values</span>
          <Bars sides={others} />
        </div>
      )}
      {!all && parts.length > FEW && (
        <button class="small quiet" onClick={() => setAll(true)}>
          {parts.length - FEW} more values
        </button>
      )}
    </div>
  );
}

function Bars({ sides }: { sides: Sides }) {
  return (
    <span class="bars">
      <Bar share={sides.inside.share} side="inside" />
      <Bar share={sides.outside.share} side="outside" />
    </span>
  );
}

function Bar({ share, side }: { share: number; side: "inside" | "outside" }) {
  return (
    <span class="bar">
      <span class="track">
        <span class={side} style={{ width: `${share * 100}%` }} />
      </span>
      <span class="number small">
        {percent(share)}
        <span class="hidden"> {side}</span>
      </span>
    </span>
  );
}

function Histogram({ parts, field, chosen, onChoose }: Shown & { field: NumberField }) {
  const most = Math.max(...parts.flatMap((part) => [part.inside.share, part.outside.share]), 1e-9);
  const unit = unitOf(field.name);
  const tall = (share: number) => ({ height: `${share ? Math.max(1, (share / most) * 64) : 0}px` });
  return (
    <>
      <div class="bins">
        {parts.map((part) => {
          const said = `${part.name}: ${percent(part.inside.share)} inside, ${percent(part.outside.share)} outside`;
          return (
            <button
              key={part.key}
              title={said}
              aria-label={said}
              aria-pressed={part.key === chosen}
              onClick={() => onChoose(part.key)}
            >
              <span class="inside" style={tall(part.inside.share)} />
              <span class="outside" style={tall(part.outside.share)} />
            </button>
          );
        })}
      </div>
      <p class="spread small quiet">
        <span>{shown(field.histogram[0]?.from, unit)}</span>
        {field.missing.inside.events + field.missing.outside.events > 0 && (
          <span>
            missing in {percent(field.missing.inside.share)} inside, {percent(field.missing.outside.share)} outside
          </span>
        )}
        <span>{shown(field.histogram.at(-1)?.to, unit)}</span>
      </p>
    </>
  );
}
