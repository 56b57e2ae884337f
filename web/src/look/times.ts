// Times in the viewer's zone, with UTC at hand.

const two = (value: number) => String(value).padStart(2, "0");

/** 14:03:07, or 31 Jan 14:03 where the day is not today. Unix seconds. */
export function timeOf(s: number, { seconds = true, day = "auto" as "auto" | "always" | "never" } = {}): string {
  const at = new Date(s * 1000);
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}${seconds ? `:${two(at.getSeconds())}` : ""}`;
  const today = at.toDateString() === new Date().toDateString();
  if (day === "never" || (day === "auto" && today)) return clock;
  return `${dayOf(s)} ${clock}`;
}

const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** 31 Jan, with the year where it is another one. */
export function dayOf(s: number): string {
  const at = new Date(s * 1000);
  const named = DAY.format(at);
  return at.getFullYear() === new Date().getFullYear() ? named : `${named} ${at.getFullYear()}`;
}

/** For hovering: the same moment in UTC. */
export function utcOf(s: number): string {
  return `${new Date(s * 1000).toISOString().replace("T", " ").replace(".000Z", "")} UTC`;
}

/** How long ago: 3 s ago, 5 m ago. */
export function ago(s: number, now_s = Date.now() / 1000): string {
  const past = Math.max(0, now_s - s);
  if (past < 60) return `${Math.floor(past)} s ago`;
  if (past < 3600) return `${Math.floor(past / 60)} m ago`;
  if (past < 86400) return `${Math.floor(past / 3600)} h ago`;
  return `${Math.floor(past / 86400)} d ago`;
}

/** A moment in nanoseconds as events have it: 2026-01-31T14:03:07.123456789Z. */
export function isoOf(ns: number | bigint): string {
  const whole = BigInt(ns);
  const past = ((whole % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const second = new Date(Number((whole - past) / 1_000_000n)).toISOString().slice(0, 19);
  const digits = past.toString().padStart(9, "0").replace(/0+$/, "");
  return `${second}${digits && `.${digits}`}Z`;
}

/** The viewer's zone: Europe/Berlin, UTC+2. */
export function zoneOf(s: number): string {
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const minutes = -new Date(s * 1000).getTimezoneOffset();
  if (minutes === 0) return name === "UTC" ? name : `${name}, UTC`;
  const rest = Math.abs(minutes) % 60;
  return `${name}, UTC${minutes < 0 ? "−" : "+"}${Math.floor(Math.abs(minutes) / 60)}${rest ? `:${two(rest)}` : ""}`;
}

/** The clock in UTC; empty where it is the viewer's. */
export function utcClockOf(s: number): string {
  const at = new Date(s * 1000);
  return at.getTimezoneOffset() === 0 ? "" : `${two(at.getUTCHours())}:${two(at.getUTCMinutes())} UTC`;
}
