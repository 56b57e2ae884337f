// JSON whose whole numbers keep all of their digits: what a double cannot hold is a bigint, when
// answers are read and when bodies and addresses are written. Where a bigint meets arithmetic,
// `asNumber` makes it a number again.

/** A whole number of many digits that is no part of a longer number. */
const LONG = /(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/;
/**
 * Whether there may be one, without looking at each text of the answer, which would take three times
 * as long as reading it. Coverage has one for each partition, which is a time and needs no last digit.
 */
const HAS_LONG = /[:[,]\s*-?\d{16,}(?<!"end_offset": ?\d+, ?"watermark": ?\d+)(?=\s*[,}\]])|^\s*-?\d{16,}\s*$/;
/** Texts, which may hold anything, and the numbers outside of them. */
const TOKENS = new RegExp(`"[^"\\\\]*(?:\\\\.[^"\\\\]*)*"|${LONG.source}`, "g");

/** Read JSON. Throws SyntaxError. */
export function readJson(text: string): unknown {
  if (!HAS_LONG.test(text)) return JSON.parse(text);
  const mark = markFor((one) => text.includes(one));
  const marked = text.replace(TOKENS, (token) =>
    token.startsWith('"') || Number.isSafeInteger(Number(token)) ? token : `"${mark}${token}"`,
  );
  return unmarked(JSON.parse(marked), mark);
}

/**
 * Write JSON, as JSON.stringify does, but for doubles without a fraction that are beyond whole numbers
 * which a double holds: JSON.stringify writes digits that make another whole number of them.
 */
export function writeJson(value: unknown, indent?: number): string {
  let mark = "";
  const text = JSON.stringify(
    value,
    function (this: Record<string, unknown>, key: string, given: unknown) {
      const own = this[key];
      const large = typeof own === "number" && Number.isInteger(own) && !Number.isSafeInteger(own);
      if (typeof own !== "bigint" && !large) return given;
      mark ||= markFor(() => false);
      return mark + (large ? own.toExponential() : String(own));
    },
    indent,
  );
  return mark ? text.replaceAll(new RegExp(`"${mark}(-?[\\d.e+]+)"`, "g"), "$1") : text;
}

/** A value as a number: near enough to draw and to compare; null where it is none. */
export function asNumber(value: unknown): number | null {
  if (typeof value === "number") return value;
  return typeof value === "bigint" ? Number(value) : null;
}

/** Whether it is a number, of any size. */
export const isNumber = (value: unknown): value is number | bigint =>
  typeof value === "number" || typeof value === "bigint";

/** What no text begins with that was not marked. */
function markFor(isTaken: (mark: string) => boolean): string {
  for (;;) {
    const mark = `whole${Math.random().toString(36).slice(2)}${Math.random().toString(36).slice(2)}:`;
    if (!isTaken(mark)) return mark;
  }
}

function unmarked(value: unknown, mark: string): unknown {
  if (typeof value === "string") return value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value;
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at += 1) value[at] = unmarked(value[at], mark);
  } else if (value && typeof value === "object") {
    const object = value as Record<string, unknown>;
    for (const name of Object.keys(object)) {
      const old = object[name];
      if (typeof old !== "string" && (typeof old !== "object" || old === null)) continue;
      // a field may be called __proto__
      Object.defineProperty(object, name, { value: unmarked(old, mark), writable: true, enumerable: true, configurable: true });
    }
  }
  return value;
}

declare global {
  interface BigInt {
    toJSON(): string;
  }
}

// Where somebody writes with JSON.stringify after all, all digits are there, as a text.
BigInt.prototype.toJSON = function () {
  return this.toString();
};
