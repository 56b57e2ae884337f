// The question that the answer on the screen belongs to: what a gesture changes, and what stays.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Query } from "../../../api/types";
import { ask, findTraces, type Asked, type QueryPlace } from "./change";

/** It is older than the address while another question runs. */
export const AskedContext = createContext<Asked>({ spec: {}, text: "" });

export interface Asks {
  /** Ask the next question. */
  ask: (next: Query, tab?: QueryPlace["tab"]) => void;
  /** Find the traces of its events. */
  findTraces: (of: Query) => void;
}

/** Next questions from this place; onFault is told why one cannot be asked. */
export function useAsks(place: QueryPlace, onFault: (reason: unknown) => void): Asks {
  const asked = useContext(AskedContext);
  return {
    ask: (next, tab) => void ask(place, asked, next, tab).catch(onFault),
    findTraces: (of) => void findTraces(asked, of, "newest", place.dataset).catch(onFault),
  };
}
