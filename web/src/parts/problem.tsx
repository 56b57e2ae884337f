// An error, in words, with what would help.

import { ApiError, Unreachable } from "../api/client";
import { Retrying } from "../api/persist";

interface Props {
  error: unknown;
  again?: (() => void) | undefined;
  /** Whether no frame is around it, which says when the server is away. */
  alone?: boolean;
}

export function Problem({ error, again, alone }: Props) {
  if (!alone && error instanceof Retrying && error.reason instanceof Unreachable) return null;
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
  if (error instanceof Retrying) return `${wordsOf(error.reason).replace(/ Worth trying again in .*$/, "")} Trying again in ${error.inS} s.`;
  if (error instanceof Unreachable) return "The server cannot be reached.";
  if (error instanceof ApiError) {
    const wait = error.retryAfterS === null ? "" : ` Worth trying again in ${error.retryAfterS} s.`;
    return `${error.message}${wait}`;
  }
  return error instanceof Error ? error.message : String(error);
}
