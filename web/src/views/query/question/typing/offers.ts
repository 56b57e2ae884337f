// What completion offers: calculations, fields with their types and examples, values, words.

import { pickedCompletion, type Completion } from "@codemirror/autocomplete";
import type { EditorView } from "@codemirror/view";
import { quotedName, quotedValue } from "../tokens";
import { usesOf } from "./used";
import type { Field } from "./facts";
import { FUNCTIONS, WITHOUT_FIELD, type Word } from "./words";

/** One with what stands quietly at its right. */
export interface Offer extends Completion {
  examples?: string;
}

const VALUE_CHARS = 80;
const EXAMPLE_CHARS = 28;
const EXAMPLES_SHOWN = 3;
/** Fields used lately come before all others, so many of them in their order. */
const USED_BOOST = 60;
const USED_RANKED = 30;
const MATCHES_MAX = 6;

/** Characters that would change how a line is read, by their codes. */
export function visible(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (char) =>
    `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The fields, those used lately first, then the common ones; more by `boosted`. */
export function fieldOffers(
  dataset: string,
  fields: readonly Field[],
  boosted: (field: Field) => number = () => 0,
  applied?: (quoted: string) => Completion["apply"],
  measured = false,
): Offer[] {
  const used = [...usesOf(dataset, measured)].sort(([, one], [, other]) => other - one).slice(0, USED_RANKED);
  const ranks = new Map(used.map(([name], at) => [name, USED_BOOST - at]));
  return fields.map((one) => {
    const quoted = quotedName(one.name);
    const rank = ranks.get(one.name);
    return {
      label: one.name,
      ...shownAs(one.name),
      detail: `${one.types.join(", ") || "calculated"}${rank === undefined ? "" : " · used lately"}`,
      examples: examplesOf(one),
      boost: Math.min(99, (rank ?? Math.round(one.share * 10)) + boosted(one)),
      type: "property",
      apply: applied?.(quoted) ?? quoted,
    };
  });
}

/** Fields and functions, as expressions have them. */
export function expressionOffers(dataset: string, fields: readonly Field[]): Offer[] {
  const named = fieldOffers(dataset, fields).map((one): Offer => {
    const name = /^[\w.]+$/.test(one.label) ? one.label : `"${one.label.replace(/[\\"]/g, "\\$&")}"`;
    return { ...one, label: `$${name}`, ...shownAs(`$${one.label}`, `$${name}`), apply: `$${name}`, type: "constant" };
  });
  return [...named, ...FUNCTIONS.map((one, at) => ({ label: one.text, detail: one.about, apply: `${one.text}(`, type: "constant", boost: -10 - at }))];
}

function examplesOf(field: Field): string {
  const some = field.examples.slice(0, EXAMPLES_SHOWN).map((one) => shortened(visible(typeof one === "number" ? String(Number(one.toPrecision(6))) : String(one)), EXAMPLE_CHARS));
  const more = field.distinct !== null && field.distinct > some.length;
  return some.join(", ") + (some.length && more ? ", …" : "");
}

/** Calculations of the fields that hold what is typed. */
export function calculationsOf(fields: readonly Field[], typed: string): Offer[] {
  const low = typed.toLowerCase();
  if (low.length < 2) return [];
  const found = fields.filter((one) => one.name.toLowerCase().includes(low)).slice(0, MATCHES_MAX);
  return found.flatMap((one) =>
    (one.number ? ["P99", "HEATMAP", "AVG", "SUM", "MAX"] : ["COUNT_DISTINCT"]).map((op, at): Offer => {
      const text = `${op}(${quotedName(one.name)})`;
      return { label: text, ...shownAs(`${op}(${one.name})`), detail: one.types.join(", "), type: "constant", boost: 20 - at };
    }),
  );
}

/** Conditions by the known values that hold what is typed. */
export function conditionsOf(fields: readonly Field[], typed: string): Offer[] {
  const low = typed.toLowerCase();
  if (low.length < 2) return [];
  const search = `SEARCH ${quotedValue(typed)}`;
  const found: Offer[] = [{ label: search, ...shownAs(search), detail: "in any field", type: "constant", boost: -90 }];
  for (const field of fields) {
    for (const value of field.examples) {
      if (typeof value !== "string" || !value.toLowerCase().includes(low)) continue;
      const label = `${field.name} = ${shortened(value, VALUE_CHARS)}`;
      const apply = `${quotedName(field.name)} = ${quotedValue(value)}`;
      found.push({ label, ...shownAs(label), detail: "a value", type: "constant", boost: -30, apply });
      if (found.length > MATCHES_MAX) return found;
    }
  }
  return found;
}

export function calculationOffer(one: Word, boost = 0): Offer {
  if (WITHOUT_FIELD.has(one.text)) return { label: one.text, detail: one.about, type: "function", boost: boost + 5 };
  const apply = (view: EditorView, picked: Completion, from: number, to: number) => {
    const text = `${one.text}()`;
    view.dispatch({
      changes: { from, to, insert: text },
      selection: { anchor: from + text.length - 1 },
      annotations: pickedCompletion.of(picked),
      userEvent: "input.complete",
    });
  };
  return { label: one.text, displayLabel: `${one.text}( )`, detail: one.about, type: "function", apply, boost };
}

/** A field as the argument of a calculation: the cursor goes behind the parenthesis. */
export function closed(text: string) {
  return (view: EditorView, picked: Completion, from: number, to: number) => {
    const open = view.state.sliceDoc(to, to + 1) !== ")";
    view.dispatch({
      changes: { from, to, insert: text + (open ? ")" : "") },
      selection: { anchor: from + text.length + 1 },
      annotations: pickedCompletion.of(picked),
      userEvent: "input.complete",
    });
  };
}

/** The values, the most frequent first; a number that is typed goes before them. */
export function valueOffers(values: readonly unknown[], typed: string, list: boolean): Offer[] {
  const given = /^[+-]?\d[\d.]*$/.test(typed) && !values.some((one) => String(one) === typed);
  const first: Offer[] = given ? [{ label: typed, detail: "as typed", boost: 99, type: "constant", apply: list ? `(${typed})` : typed }] : [];
  const rest = values.map((one, at): Offer => {
    const text = quotedValue(one);
    const label = String(one);
    return { label, ...shownAs(shortened(label, VALUE_CHARS), label), boost: -Math.min(at, 90), type: "constant", apply: list ? `(${text})` : text };
  });
  return [...first, ...rest];
}

export function plain(label: string, detail: string, boost = 0): Offer {
  return { label, detail, boost, type: "keyword" };
}

export function spaced(label: string, detail: string, boost = 0): Offer {
  return { label, detail, boost, apply: `${label} `, type: "keyword" };
}

/** How a label is shown, where that is not as it is. */
function shownAs(shown: string, label = shown): { displayLabel?: string } {
  const safe = visible(shown);
  return safe === label ? {} : { displayLabel: safe };
}

function shortened(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

/** Whether completion goes on after one was picked: what comes next is offered at once. */
export function goesOn(picked: Completion): boolean {
  return picked.type === "property" || picked.type === "function" || (picked.type === "keyword" && typeof picked.apply === "string");
}

/** Its examples, at the right of an option. Text alone: names and values may hold anything. */
export function renderExamples(picked: Completion): Node | null {
  const { examples } = picked as Offer;
  if (!examples) return null;
  const element = document.createElement("span");
  element.className = "cm-examples";
  element.textContent = examples;
  return element;
}
