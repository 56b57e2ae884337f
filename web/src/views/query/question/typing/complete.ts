// Completion of the text form: calculations, fields, operators, values and clauses, as they may come.

import type { CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { quotedName, tokensOf, type Token } from "../tokens";
import { expectedAfter, type Expected } from "./expects";
import { fieldsOf, valuesOf, type Field } from "./facts";
import {
  calculationOffer, calculationsOf, closed, conditionsOf, expressionOffers, fieldOffers, plain, spaced, valueOffers, type Offer,
} from "./offers";
import { CALCULATIONS, CLAUSES, EARLIER, INSTANCE_COLUMNS, LENGTHS, MOMENTS, OPERATORS, STEPS, WITHOUT_FIELD } from "./words";

export interface Around {
  dataset: string;
  /** What stands before the editor's text, for an editor of one piece of a question. */
  before: string;
  /** Whether only one piece is typed: no clause follows it. */
  piece: boolean;
  /** The clauses that may follow, where not all may. */
  clauses?: RegExp;
  /** Datasets that FROM may name. */
  datasets?: () => Promise<string[]>;
}

/** Names of what is measured rather than counted: durations and sizes. */
const MEASURES = /(duration|latency|elapsed|bytes|size|_(ns|us|ms|s|mb|kb))$|^(duration|latency)/i;

/** The source of completions; `around` is read at each use. */
export function completions(around: () => Around) {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const { dataset, before, piece, clauses, datasets } = around();
    const typed = context.state.sliceDoc(0, context.pos);
    const tokens = tokensOf(before + typed);
    const last = tokens.at(-1);
    // the token that the cursor touches is what is being typed
    const touched = last && last.to === before.length + context.pos && last.kind !== "symbol" && last.from >= before.length ? last : null;
    const expected = expectedAfter(touched ? tokens.slice(0, -1) : tokens);
    if (last && !touched && last.open) return null;
    if (!touched && !context.explicit && expected.what === "clause") return null;
    const options = await optionsOf(expected, touched, { dataset, piece, clauses, tokens, datasets });
    if (!options.length || context.aborted) return null;
    const from = touched ? touched.from - before.length : context.pos;
    const needle = touched && touched.kind !== "word" && touched.kind !== "number" ? touched.value : undefined;
    return {
      from,
      options: needle === undefined ? options : filtered(options, needle),
      filter: needle === undefined,
    };
  };
}

/** Whether a piece of a question is whole: what may follow is another piece. */
export function isWhole(before: string, text: string): boolean {
  const tokens = tokensOf(before + text);
  if (tokens.at(-1)?.open || tokens.some((one) => /^IN$/i.test(one.raw))) return false;
  const { what } = expectedAfter(tokens);
  return what === "clause" || what === "joint";
}

/** By the plain meaning, where quotes stand before what is typed. */
function filtered(options: Offer[], needle: string): Offer[] {
  const low = needle.toLowerCase();
  return options.filter((one) => one.label.toLowerCase().includes(low));
}

interface Facts {
  dataset: string;
  piece: boolean;
  clauses: RegExp | undefined;
  tokens: readonly Token[];
  datasets: (() => Promise<string[]>) | undefined;
}

async function optionsOf(expected: Expected, typed: Token | null, facts: Facts): Promise<Offer[]> {
  const { dataset } = facts;
  const clauses = facts.piece ? [] : CLAUSES.filter((one) => facts.clauses?.test(one.text) ?? true).map((one) => spaced(one.text, one.about));
  const word = typed?.value ?? "";
  switch (expected.what) {
    case "calculation": {
      const whole = facts.piece ? [] : [plain("SELECT *", "the events themselves")];
      const known = CALCULATIONS.map((one, at) => calculationOffer(one, 30 - at));
      return [...known, ...calculationsOf(await fieldsOf(dataset), word), ...whole, ...(typed ? clauses : [])];
    }
    case "argument":
      return fieldOffers(dataset, await fieldsOf(dataset), (one) => (one.number && expected.op !== "COUNT_DISTINCT" ? (MEASURES.test(one.name) ? 30 : 20) : 0), closed, true);
    case "field":
      return fieldOffers(dataset, await fieldsOf(dataset), (one) => (expected.per && /trace[._]?id$/i.test(one.name) ? 50 : 0));
    case "condition": {
      const fields = ofSpan(await fieldsOf(dataset), word);
      const words = [spaced("NOT", "the opposite", -20), spaced("SEARCH", "a word in any field", -20)];
      return [...fieldOffers(dataset, fields, undefined, (quoted) => `${quoted} `), ...conditionsOf(fields, word), ...words];
    }
    case "operator":
      return OPERATORS.map((one, at) => operator(one.text, one.about, -at));
    case "value":
      return valueOffers(await valuesOf(dataset, await storedName(dataset, expected.field), word), typed?.raw ?? "", expected.list);
    case "joint":
      return [spaced("AND", "both", 2), spaced("OR", "one of them", 1), ...clauses];
    case "direction":
      return [plain("DESC", "largest first", 2), plain("ASC", "smallest first", 1), ...clauses];
    case "order":
      return [...asked(facts.tokens), ...grouped(facts.tokens), ...CALCULATIONS.slice(0, 8).map((one) => calculationOffer(one, -30))];
    case "having":
      return [...asked(facts.tokens), ...instances(facts.tokens), ...CALCULATIONS.slice(0, 8).map((one) => calculationOffer(one, -30))];
    case "length": {
      const lengths = { range: LENGTHS, step: STEPS, compare: EARLIER }[expected.of];
      return lengths.map((one, at) => plain(one, "", -at));
    }
    case "moment":
      return MOMENTS.map((one) => plain(one, ""));
    case "dataset":
      return ((await facts.datasets?.()) ?? []).map((one) => ({ label: one, apply: quotedName(one), type: "namespace" }));
    case "clause":
      return clauses;
    case "expression":
      return expressionOffers(dataset, await fieldsOf(dataset));
    case "nothing":
      return [];
  }
}

/** Before a field: it is one of another span of the trace. */
const OTHER_SPAN = /^(root|parent|child|any[23]?|none)\./;

/** Fields as they are named after what was typed of the span that they are of. */
function ofSpan(fields: readonly Field[], typed: string): readonly Field[] {
  const [prefix] = OTHER_SPAN.exec(typed) ?? [];
  if (prefix === undefined || fields.some((one) => one.name.startsWith(typed))) return fields;
  return fields.map((one) => ({ ...one, name: prefix + one.name }));
}

/** The name under which events have a field, whichever span it is of. */
async function storedName(dataset: string, name: string): Promise<string> {
  const fields = OTHER_SPAN.test(name) ? await fieldsOf(dataset) : [];
  return !fields.length || fields.some((one) => one.name === name) ? name : name.replace(OTHER_SPAN, "");
}

/** The first operators are enough for most; those without a value end the condition. */
function operator(text: string, about: string, boost: number): Offer {
  if (/EXISTS$/.test(text)) return { label: text, detail: about, boost, type: "constant" };
  return { ...spaced(text, about, boost), ...(/IN$/.test(text) ? { apply: `${text} (` } : {}) };
}

/** The calculations and formulas that the question names already. */
function asked(tokens: readonly Token[]): Offer[] {
  const found = new Set<string>();
  tokens.forEach((token, at) => {
    const upper = token.raw.toUpperCase();
    if (token.kind !== "word" || !CALCULATIONS.some((one) => one.text === upper)) {
      if (tokens[at - 1]?.raw.toUpperCase() === "AS") found.add(token.raw);
      return;
    }
    if (tokens[at + 1]?.raw === "(" && tokens[at + 3]?.raw === ")") found.add(`${upper}(${tokens[at + 2]?.raw})`);
    else if (WITHOUT_FIELD.has(upper)) found.add(upper);
  });
  return [...found].map((text) => ({ ...spaced(text, "asked for", 40), type: "function" }));
}

/** The fields behind GROUP BY. */
function grouped(tokens: readonly Token[]): Offer[] {
  const found: Offer[] = [];
  let at = tokens.findIndex((one) => /^GROUP$/i.test(one.raw)) + 1;
  if (!at) return [];
  for (at += /^BY$/i.test(tokens[at]?.raw ?? "") ? 1 : 0; at < tokens.length; at += 2) {
    const token = tokens[at];
    if (!token || (token.kind !== "word" && token.kind !== "name")) break;
    found.push({ label: token.value, apply: `${token.raw} `, detail: "group", boost: 30, type: "property" });
    if (tokens[at + 1]?.raw !== ",") break;
  }
  return found;
}

/** Columns of instances, where there are any. */
function instances(tokens: readonly Token[]): Offer[] {
  if (!tokens.some((one) => one.kind === "word" && /^PER$/i.test(one.raw))) return [];
  return INSTANCE_COLUMNS.map((one, at) => ({ label: one.text, apply: `${one.text} `, detail: one.about, boost: 30 - at, type: "property" }));
}
