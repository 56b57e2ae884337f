// Who is logged in.

import { ApiError, call } from "./api/client";
import type { Operations } from "./api/types";

export type Who = Operations["session"]["answer"];

/** Of the link that was opened, until it has logged in: it may have to be tried again. */
let code: string | null = null;

/** The session of this browser; with the code of a link in the address it begins one. */
export async function currentSession(): Promise<Who> {
  const found = /^#login=([\w-]+=*)$/.exec(location.hash)?.[1];
  if (found) {
    code = found;
    history.replaceState(null, "", location.pathname + location.search);
  }
  if (!code) return call("session");
  try {
    const who = await call("logIn", { body: { code } });
    code = null;
    return who;
  } catch (reason) {
    if (!(reason instanceof ApiError) || reason.status !== 401) throw reason;
    code = null; // used, or too old: perhaps there is a session already
    return call("session");
  }
}
