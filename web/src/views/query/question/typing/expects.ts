// What may be typed at the end of an unfinished text: from the words before, as far as a helper knows.

import { WITHOUT_FIELD, WITHOUT_VALUE, CALCULATIONS, OPERATOR_WORDS } from "./words";
import { clauseOf, type Token } from "../tokens";

export type Expected =
  | { what: "calculation" }
  | { what: "argument"; op: string }
  | { what: "field"; per?: boolean }
  | { what: "condition" }
  | { what: "operator" }
  | { what: "value"; field: string; list: boolean }
  | { what: "joint" }
  | { what: "order" }
  | { what: "direction" }
  | { what: "having" }
  | { what: "length"; of: "range" | "step" | "compare" }
  | { what: "moment" }
  | { what: "dataset" }
  | { what: "clause" }
  | { what: "expression" }
  | { what: "nothing" };

const CALCULATION = new Set(CALCULATIONS.map((one) => one.text));

const SELECTS = /^(SELECT|CALCULATE|SHOW|VISUALIZE)$/i;
const NONE: Token = { kind: "symbol", raw: "", value: "", from: 0, to: 0, open: false };

/** What comes after these tokens. */
export function expectedAfter(tokens: readonly Token[]): Expected {
  let at = tokens.length - 1;
  while (at >= 0 && clauseOf(tokens[at] as Token) === null) at -= 1;
  const within = tokens.slice(at + 1);
  const last = within.at(-1);
  // BY alone begins groups; behind ORDER it is a part of that
  if (isWord(tokens[at], "BY") && clauseOf(tokens[at - 1] ?? NONE) !== null) at -= 1;
  const clause = at < 0 ? "SELECT" : clauseOf(tokens[at] as Token);
  switch (clause) {
    case "SELECT":
      return inList(within);
    case "LET": {
      const begins = within.findIndex((one) => SELECTS.test(one.raw));
      if (begins >= 0) return inList(within.slice(begins));
      if (!last || last.raw === ",") return { what: "nothing" };
      return last.kind === "symbol" && last.raw !== ")" ? { what: "expression" } : { what: "clause" };
    }
    case "WHERE":
      return inConditions(within);
    case "GROUP": {
      const names = within.filter((one) => !isWord(one, "BY"));
      return !names.length || last?.raw === "," ? { what: "field" } : { what: "clause" };
    }
    case "PER":
      return last ? { what: "clause" } : { what: "field", per: true };
    case "ORDER":
      return inOrder(within);
    case "HAVING":
      return inHaving(within);
    case "LAST":
      return last ? { what: "clause" } : { what: "length", of: "range" };
    case "EVERY":
      return last ? { what: "clause" } : { what: "length", of: "step" };
    case "COMPARE":
      return last && !isWord(last, "WITH") ? { what: "clause" } : { what: "length", of: "compare" };
    case "SINCE":
    case "UNTIL":
      return last ? { what: "clause" } : { what: "moment" };
    case "FROM":
      return last ? { what: "clause" } : { what: "dataset" };
    case "SEARCH":
      return last ? { what: "clause" } : { what: "nothing" };
    case "LIMIT":
      return last ? { what: "clause" } : { what: "nothing" };
    default:
      return { what: "clause" };
  }
}

function inList(within: readonly Token[]): Expected {
  const last = within.at(-1);
  const before = within.at(-2);
  if (!last || last.raw === "," || SELECTS.test(last.raw)) {
    return { what: "calculation" };
  }
  if (last.raw === "(") return argumentOf(before);
  return isWord(last, "AS") ? { what: "nothing" } : { what: "clause" };
}

function argumentOf(before: Token | undefined): Expected {
  const op = before?.kind === "word" ? before.raw.toUpperCase() : "";
  return CALCULATION.has(op) ? { what: "argument", op } : { what: "condition" };
}

function inConditions(within: readonly Token[]): Expected {
  const last = within.at(-1);
  if (!last || /^(AND|OR|&&|\|\||!)$/i.test(last.raw)) return { what: "condition" };
  // the last condition begins behind the last joint; BETWEEN's AND is none
  let began = within.length - 1;
  let depth = 0;
  for (; began >= 0; began -= 1) {
    const token = within[began] as Token;
    if (token.raw === ")") depth += 1;
    else if (token.raw === "(" && depth > 0) depth -= 1;
    else if (token.raw === "(" && !isWord(within[began - 1], "IN")) break;
    else if (depth === 0 && /^(AND|OR|&&|\|\|)$/i.test(token.raw) && !isWord(within[began - 2], "BETWEEN")) break;
  }
  const condition = within.slice(began + 1);
  while (condition.length && isWord(condition[0], "NOT")) condition.shift();
  const [field, ...rest] = condition;
  if (!field || last.raw === "(" && condition.length === 0) return { what: "condition" };
  if (isWord(field, "SEARCH")) return rest.length ? { what: "joint" } : { what: "nothing" };
  if (!rest.length) return { what: "operator" };
  if (rest.some((one) => one.kind === "word" && WITHOUT_VALUE.has(one.raw.toUpperCase()))) return { what: "joint" };
  if (isWord(last, "NOT") || isWord(last, "DOES") || isWord(last, "IS")) return { what: "operator" };
  const list = rest.some((one) => isWord(one, "IN"));
  const atOperator = (last.kind === "symbol" && last.raw !== ")") || OPERATOR_WORDS.has(last.raw.toUpperCase());
  const betweenEnds = rest.some((one) => isWord(one, "BETWEEN")) && isWord(last, "AND");
  return atOperator || betweenEnds ? { what: "value", field: field.value, list: list && last.raw !== "(" && last.raw !== "," } : { what: "joint" };
}

function inOrder(within: readonly Token[]): Expected {
  const last = within.at(-1);
  if (!last || isWord(last, "BY") || last.raw === ",") return { what: "order" };
  if (last.raw === "(") return argumentOf(within.at(-2));
  return /^(ASC|DESC)$/i.test(last.raw) ? { what: "clause" } : { what: "direction" };
}

function inHaving(within: readonly Token[]): Expected {
  const last = within.at(-1);
  if (!last || isWord(last, "AND")) return { what: "having" };
  if (last.raw === "(") return argumentOf(within.at(-2));
  const bare = last.kind === "word" && (WITHOUT_FIELD.has(last.raw.toUpperCase()) || !CALCULATION.has(last.raw.toUpperCase()));
  if (last.raw === ")" || (bare && within.at(-2)?.kind !== "symbol")) return { what: "operator" };
  return last.kind === "number" || last.kind === "text" ? { what: "joint" } : { what: "nothing" };
}

function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === "word" && token.raw.toUpperCase() === word;
}
