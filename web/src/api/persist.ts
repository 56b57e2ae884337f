// Asks again while an answer may still come: the server is away, starts, or has others to serve.

import { ApiError, Unreachable } from "./client";
import { pause } from "./connection";

/** What went wrong, and that it is tried again by itself. */
export class Retrying extends Error {
  constructor(
    readonly reason: unknown,
    /** Seconds until then. */
    readonly inS: number,
  ) {
    super("tried again");
  }
}

const WAITS_S = [1, 2, 4, 8, 15, 30];
const TOO_MANY = 429;
const UNAVAILABLE = 503;

/** Seconds to wait before it is tried again, after so many failures; null where that is no use. */
export function waitOf(error: unknown, failed: number): number | null {
  const usual = WAITS_S[Math.min(failed, WAITS_S.length) - 1] ?? 1;
  if (error instanceof Unreachable) return usual;
  const passing = error instanceof ApiError && (error.status === TOO_MANY || error.status === UNAVAILABLE);
  return passing ? (error.retryAfterS ?? usual) : null;
}

/** The answer, asked for until there is one. Throws what waiting does not help, or the signal's reason. */
export async function persist<T>(
  ask: () => Promise<T>,
  signal: AbortSignal,
  onWait: (why: Retrying) => void,
): Promise<T> {
  for (let failed = 1; ; failed += 1) {
    try {
      return await ask();
    } catch (error) {
      const wait = signal.aborted ? null : waitOf(error, failed);
      if (wait === null) throw error;
      onWait(new Retrying(error, wait));
      await pause(wait * 1000, signal);
      if (signal.aborted) throw error;
    }
  }
}
