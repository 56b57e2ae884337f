// Who is logged in.

import { call } from "./api/client";
import type { Operations } from "./api/types";

export type Who = Operations["session"]["answer"];

/** The session of this browser; with the code of a link in the address it begins one. */
export async function currentSession(): Promise<Who> {
  const code = /^#login=([\w-]+=*)$/.exec(location.hash)?.[1];
  if (code) {
    history.replaceState(null, "", location.pathname + location.search);
    return call("logIn", { body: { code } });
  }
  return call("session");
}
