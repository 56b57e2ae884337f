// Completion of the text form: calculations, fields, operators, values and clauses, as they may come.

import { pickedCompletion, type Completion, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import type { EditorView } from "@codemirror/view";
import { expectedAfter, type Expected } from "./expects";
import { fieldsOf, valuesOf, type Field } from "./facts";
import { quotedName, quotedValue, tokensOf, type Token } from "./tokens";
import { CALCULATIONS, CLAUSES, EARLIER, LENGTHS, MOMENTS, OPERATORS, STEPS, WITHOUT_FIELD, type Word } from "./words";

export interface Around {
  dataset: string;
  /** What stands before the editor's text, for an editor of one piece of a question. */
  before: string;
  /** Whether only one piece is typed: no clause follows it. */
  piece: boolean;
  /** Datasets that FROM may name. */
  datasets?: () => Promise<string[]>;
}

const VALUE_CHARS = 80;

/** The source of completions; `around` is read at each use. */
export function completions(around: () => Around) {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const { dataset, before, piece, datasets } = around();
    const typed = context.state.sliceDoc(0, context.pos);
    const tokens = tokensOf(before + typed);
    const last = tokens.at(-1);
    // the token that the cursor touches is what is being typed
    const touched = last && last.to === before.length + context.pos && last.kind !== "symbol" && last.from >= before.length ? last : null;
    const expected = expectedAfter(touched ? tokens.slice(0, -1) : tokens);
    if (last && !touched && last.open) return null;
    if (!touched && !context.explicit && expected.what === "clause") return null;
    const options = await optionsOf(expected, touched, { dataset, piece, tokens, datasets });
    if (!options.length || context.aborted) return null;
    const from = touched ? touched.from - before.length : context.pos;
    const needle = touched && touched.kind !== "word" ? touched.value : undefined;
    return {
      from,
      options: needle === undefined ? options : filtered(options, needle),
      filter: needle === undefined,
    };
  };
}

/** By the plain meaning, where quotes stand before what is typed. */
function filtered(options: Completion[], needle: string): Completion[] {
  const low = needle.toLowerCase();
  return options.filter((one) => (one.displayLabel ?? one.label).toLowerCase().includes(low));
}

interface Facts {
  dataset: string;
  piece: boolean;
  tokens: readonly Token[];
  datasets: (() => Promise<string[]>) | undefined;
}

async function optionsOf(expected: Expected, typed: Token | null, facts: Facts): Promise<Completion[]> {
  const clauses = facts.piece ? [] : CLAUSES.map((one) => word(one, "keyword"));
  switch (expected.what) {
    case "calculation":
      return [...CALCULATIONS.map((one, at) => calculation(one, 30 - at)), ...(facts.piece ? [] : [plain("SELECT *", "the events themselves")]), ...(typed ? clauses : [])];
    case "argument":
      return (await fieldsOf(facts.dataset)).map((one) => field(one, one.number && expected.op !== "COUNT_DISTINCT" ? 20 : 0, closed));
    case "field":
      return (await fieldsOf(facts.dataset)).map((one) => field(one, expected.per && /trace[._]?id$/i.test(one.name) ? 50 : 0));
    case "condition": {
      const fields = (await fieldsOf(facts.dataset)).map((one) => field(one));
      return [...fields, spaced("NOT", "the opposite", -20), spaced("SEARCH", "a word in any field", -20)];
    }
    case "operator":
      return OPERATORS.map((one, at) => ({ ...spaced(one.text, one.about, -at), ...(/IN$/.test(one.text) ? { apply: `${one.text} (` } : {}) }));
    case "value": {
      const prefix = typed ? typed.value : "";
      const found = await valuesOf(facts.dataset, expected.field, prefix);
      return found.map((one, at) => value(one, -Math.min(at, 90), expected.list));
    }
    case "joint":
      return [spaced("AND", "both", 2), spaced("OR", "one of them", 1), ...clauses];
    case "direction":
      return [plain("DESC", "largest first"), plain("ASC", "smallest first"), ...clauses];
    case "order":
    case "having":
      return [...asked(facts.tokens), ...CALCULATIONS.slice(0, 8).map((one) => calculation(one, -30))];
    case "length": {
      const lengths = { range: LENGTHS, step: STEPS, compare: EARLIER }[expected.of];
      return lengths.map((one, at) => plain(one, "", -at));
    }
    case "moment":
      return MOMENTS.map((one) => plain(one, ""));
    case "dataset":
      return ((await facts.datasets?.()) ?? []).map((one) => ({ label: quotedName(one), displayLabel: one, type: "namespace" }));
    case "clause":
      return clauses;
    case "nothing":
      return [];
  }
}

/** The calculations and groups that the question names already. */
function asked(tokens: readonly Token[]): Completion[] {
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
  return [...found].map((text) => plain(text, "asked for", 40));
}

function plain(label: string, detail: string, boost = 0): Completion {
  return { label, detail, boost, type: "keyword" };
}

function spaced(label: string, detail: string, boost = 0): Completion {
  return { label, detail, boost, apply: `${label} `, type: "keyword" };
}

function word(one: Word, type: string): Completion {
  return { label: one.text, detail: one.about, apply: `${one.text} `, type };
}

function calculation(one: Word, boost = 0): Completion {
  if (WITHOUT_FIELD.has(one.text)) return { label: one.text, detail: one.about, type: "function", boost: boost + 5 };
  const apply = (view: EditorView, picked: Completion, from: number, to: number) => {
    const text = `${one.text}()`;
    view.dispatch({
      changes: { from, to, insert: text },
      selection: { anchor: from + text.length - 1 },
      annotations: pickedCompletion.of(picked),
    });
  };
  return { label: one.text, displayLabel: `${one.text}( )`, detail: one.about, type: "function", apply, boost };
}

/** A field as the argument of a calculation: the cursor goes behind the parenthesis. */
function closed(text: string) {
  return (view: EditorView, picked: Completion, from: number, to: number) => {
    const open = view.state.sliceDoc(to, to + 1) !== ")";
    view.dispatch({
      changes: { from, to, insert: text + (open ? ")" : "") },
      selection: { anchor: from + text.length + 1 },
      annotations: pickedCompletion.of(picked),
    });
  };
}

function field(one: Field, boost = 0, applied?: typeof closed): Completion {
  const label = quotedName(one.name);
  const detail = one.types.join(", ");
  const ranked = boost + Math.round(one.share * 10);
  return {
    label: one.name,
    detail,
    boost: ranked,
    type: "property",
    apply: applied ? applied(label) : label,
  };
}

function value(one: unknown, boost: number, list: boolean): Completion {
  const text = quotedValue(one);
  const shown = typeof one === "string" ? one : String(one);
  const displayLabel = shown.length > VALUE_CHARS ? `${shown.slice(0, VALUE_CHARS)}…` : shown;
  return { label: shown, displayLabel, boost, type: "constant", apply: list ? `(${text})` : text };
}

/** Whether completion goes on after one was picked: what comes next is offered at once. */
export function goesOn(picked: Completion): boolean {
  return picked.type === "property" || picked.type === "function" || (picked.type === "keyword" && typeof picked.apply === "string");
}
