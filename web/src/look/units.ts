// Numbers as people read them, by the unit that a field's name says.

import { isNumber, writeJson } from "../api/exact";

export type Unit = "duration" | "bytes" | "percent" | "ratio" | "number";

const DURATIONS: Record<string, number> = {
  ns: 1e-6, nanoseconds: 1e-6, us: 1e-3, microseconds: 1e-3, ms: 1, millis: 1, milliseconds: 1,
  s: 1e3, sec: 1e3, secs: 1e3, seconds: 1e3, min: 6e4, minutes: 6e4, hours: 3.6e6, days: 8.64e7,
};
const BYTES: Record<string, number> = {
  bytes: 1, kb: 1e3, mb: 1e6, gb: 1e9, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3,
};

export interface UnitOf {
  unit: Unit;
  /** What one is: milliseconds of a duration, bytes of a size. */
  factor: number;
}

/** The unit of `P99(duration_ms)`, `size_bytes`, `cpu_pct`: by the ending of the field's name. */
export function unitOf(label: string): UnitOf {
  if (/^(COUNT|COUNT_DISTINCT|CONCURRENCY)\b/.test(label)) return { unit: "number", factor: 1 };
  const field = /\(([^)]*)\)$/.exec(label)?.[1] ?? label;
  const ending = (/[a-z]+$/i.exec(field)?.[0] ?? "").toLowerCase();
  const whole = field.length === ending.length || !/[a-z0-9]/i.test(field.at(-ending.length - 1) ?? "");
  if (!whole) return { unit: "number", factor: 1 };
  const duration = DURATIONS[ending];
  if (duration !== undefined) return { unit: "duration", factor: duration };
  const bytes = BYTES[ending];
  if (bytes !== undefined) return { unit: "bytes", factor: bytes };
  if (ending === "pct" || ending === "percent") return { unit: "percent", factor: 1 };
  if (ending === "ratio") return { unit: "ratio", factor: 1 };
  return { unit: "number", factor: 1 };
}

/** A value as text; "–" where there is none. */
export function shown(value: unknown, of: UnitOf = { unit: "number", factor: 1 }): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "bigint" && of.unit === "number") return value.toLocaleString("en-US");
  if (!isNumber(value)) return typeof value === "string" ? seen(value) : writeJson(value);
  return inUnit(Number(value), of);
}

/** A text as it stands; in quotes if nothing of it would be seen: it could not be clicked. */
export function seen(text: string): string {
  return /[^\p{C}\p{Z}]/u.test(text) ? text : writeJson(text);
}

function inUnit(value: number, of: UnitOf): string {
  switch (of.unit) {
    case "duration":
      return duration(value * of.factor);
    case "bytes":
      return bytes(value * of.factor);
    case "percent":
      return `${plain(value)} %`;
    case "ratio":
      return `${plain(value * 100)} %`;
    case "number":
      return plain(value);
  }
}

/** Milliseconds as a person says them: 61 ms, 2.3 s, 11 m 42 s, 3 d 4 h. */
export function duration(ms: number): string {
  const size = Math.abs(ms);
  if (size === 0) return "0";
  if (size < 1e-3) return `${significant(ms * 1e6)} ns`;
  if (size < 1) return `${significant(ms * 1e3)} µs`;
  if (size < 1e3) return `${significant(ms)} ms`;
  if (size < 6e4) return `${significant(ms / 1e3)} s`;
  const sign = ms < 0 ? "-" : "";
  const parts: [number, string][] = [[8.64e7, "d"], [3.6e6, "h"], [6e4, "m"], [1e3, "s"]];
  const first = parts.findIndex(([length]) => size >= length);
  let left = Math.round(size / (parts[Math.min(first + 1, 3)]?.[0] ?? 1e3)) * (parts[Math.min(first + 1, 3)]?.[0] ?? 1e3);
  const texts: string[] = [];
  for (const [length, name] of parts.slice(first, first + 2)) {
    const count = Math.floor(left / length);
    left -= count * length;
    if (count) texts.push(`${count} ${name}`);
  }
  return sign + texts.join(" ");
}

/** A size in powers of 1,000: 92 MB. */
export function bytes(size: number): string {
  const names = ["B", "kB", "MB", "GB", "TB", "PB"];
  let at = 0;
  let value = size;
  while (Math.abs(value) >= 1000 && at < names.length - 1) {
    value /= 1000;
    at += 1;
  }
  return `${significant(value)} ${names[at]}`;
}

// Made once: to make one takes longer than a hundred numbers.
const TENTHS = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });
const DIGITS = new Intl.NumberFormat("en-US", { maximumFractionDigits: 9 });

/** A number with its thousands apart. */
export function plain(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value)) return DIGITS.format(value);
  const size = Math.abs(value);
  if (size >= 1000) return TENTHS.format(value);
  return significant(value);
}

/** At most three digits that say something. */
export function significant(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e15 || size < 1e-6) return value.toExponential(2);
  const digits = Math.max(0, 2 - Math.floor(Math.log10(size)));
  return DIGITS.format(Number(value.toFixed(Math.min(digits, 9))));
}

/** A number in few characters, for axes: 1.2k, 4.1M, 3e18. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e15) return value.toExponential(2).replace(/\.?0*e\+/, "e");
  for (const [least, name] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]] as const) {
    if (size >= least) return `${significant(value / least)}${name}`;
  }
  return significant(value);
}
