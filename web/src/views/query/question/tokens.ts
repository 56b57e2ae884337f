// The text form in pieces, as far as completion and colours need it: the server alone understands it.

export type Kind = "word" | "name" | "text" | "number" | "symbol";

export interface Token {
  kind: Kind;
  /** As typed. */
  raw: string;
  /** What a name or a text means, without quotes. */
  value: string;
  from: number;
  to: number;
  /** Whether a closing quote is missing. */
  open: boolean;
}

const PIECE =
  /[eE]?"(?:[^"]|"")*"?|[eE]?'(?:[^']|'')*'?|[eE]?`(?:[^`]|``)*`?|[+-]?\d[\w.%+:-]*|!=+|[=<>!~]+|&&|\|\||[(),;*]|[^\s(),;=<>!~"'`]+/g;

export function tokensOf(text: string): Token[] {
  const found: Token[] = [];
  for (const match of text.matchAll(PIECE)) {
    const raw = match[0];
    const quote = /^[eE]?(["'`])/.exec(raw)?.[1];
    const from = match.index;
    const to = from + raw.length;
    if (quote) {
      const body = raw.slice(raw.indexOf(quote) + 1);
      const open = !body.endsWith(quote) || (body.length - body.replace(/["'`]+$/, "").length) % 2 === 0;
      const value = (open ? body : body.slice(0, -1)).replaceAll(quote + quote, quote);
      found.push({ kind: quote === "`" ? "name" : "text", raw, value, from, to, open });
    } else {
      const kind = /^[+-]?\d/.test(raw) ? "number" : /^[\w.$@#/:[\]{}\\^?|\u0080-\uffff-]/.test(raw) ? "word" : "symbol";
      found.push({ kind, raw, value: raw, from, to, open: false });
    }
  }
  return found;
}

const CLAUSE =
  /^(LET|FROM|WHERE|FILTER|SEARCH|PER|GROUP|GROUPBY|BY|BREAKDOWNS?|HAVING|ORDER|ORDERBY|SORT|LIMIT|TOP|EVERY|LAST|PAST|SINCE|UNTIL|COMPARE|UNWEIGHTED)$/i;
const JOINING = /^(SELECT|CALCULATE|SHOW|VISUALIZE|AND|OR|NOT|AS|ASC|DESC|BETWEEN|IN|IS|NULL|TRUE|FALSE|EXISTS|CONTAINS|STARTS-WITH|ENDS-WITH|LIKE|ILIKE|MATCHES|WITH)$/i;

/** The clause that a word begins, in its usual spelling; null for another word. */
export function clauseOf(token: Token): string | null {
  if (token.kind !== "word" || !CLAUSE.test(token.raw)) return null;
  const word = token.raw.toUpperCase();
  if (/^(GROUPBY|BY|BREAKDOWNS?)$/.test(word)) return "GROUP";
  if (/^(ORDERBY|SORT)$/.test(word)) return "ORDER";
  if (word === "FILTER") return "WHERE";
  if (word === "TOP") return "LIMIT";
  return word === "PAST" ? "LAST" : word;
}

export function isKeyword(token: Token): boolean {
  return token.kind === "word" && (CLAUSE.test(token.raw) || JOINING.test(token.raw));
}

const RESERVED =
  /^(FROM|WHERE|SEARCH|PER|GROUP|HAVING|ORDER|LIMIT|EVERY|LAST|SINCE|UNTIL|BETWEEN|COMPARE|UNWEIGHTED|LET|BY|AND|OR|NOT|AS|GROUPBY|BREAKDOWNS?|ORDERBY|SORT|FILTER|TOP|PAST|COUNT|CONCURRENCY)$/i;

/** A field's name as the text form needs it. */
export function quotedName(name: string): string {
  return /^[A-Za-z_][\w.-]*$/.test(name) && !RESERVED.test(name) ? name : quoted(name, "`");
}

/** A value as the text form needs it. */
export function quotedValue(value: unknown): string {
  if (typeof value === "string") return quoted(value, '"');
  // such a double is no integer of these digits; integers that long are bigints here
  if (typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)) return value.toExponential();
  return String(value);
}

function quoted(text: string, quote: string): string {
  if (!/[\u0000-\u001f\u007f-\u009f]/.test(text)) return quote + text.replaceAll(quote, quote + quote) + quote;
  const escaped = text.replace(/[\\"`\u0000-\u001f\u007f-\u009f]/g, (char) =>
    /[\\"`]/.test(char) ? `\\${char}` : `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  return `E${quote}${escaped}${quote}`;
}
