// An error, in words, with what would help.

import { ApiError, Unreachable } from "../api/client";

export function Problem({ error, again }: { error: unknown; again?: (() => void) | undefined }) {
  return (
    <div class="problem" role="alert">
      <p class="error">✕ {wordsOf(error)}</p>
      {error instanceof ApiError && error.faults.length > 0 && (
        <ul>
          {error.faults.map((fault) => (
            <li key={fault.field + fault.description}>
              <code>{fault.field || "the question"}</code> {fault.description}
            </li>
          ))}
        </ul>
      )}
      {again && <button onClick={again}>Try again</button>}
    </div>
  );
}

/** What an error says to a person. */
export function wordsOf(error: unknown): string {
  if (error instanceof Unreachable) return "The server cannot be reached.";
  if (error instanceof ApiError) {
    const wait = error.retryAfterS === null ? "" : ` Worth trying again in ${error.retryAfterS} s.`;
    return `${error.message}${wait}`;
  }
  return error instanceof Error ? error.message : String(error);
}
