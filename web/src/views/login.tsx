// Log in with a key, once; links hold none.

import { useState } from "preact/hooks";
import { ApiError, call } from "../api/client";
import { Problem } from "../parts/problem";
import { takeFocus } from "../parts/take_focus";
import type { Who } from "../session";

interface Props {
  /** Whether there was a session, which ended. */
  ended: boolean;
  onDone: (who: Who) => void;
}

export function Login({ ended, onDone }: Props) {
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const key = String(new FormData(event.currentTarget as HTMLFormElement).get("key") ?? "").trim();
    if (!key) return;
    setBusy(true);
    try {
      onDone(await call("logIn", { body: { key } }));
    } catch (reason) {
      const unknown = reason instanceof ApiError && reason.status === 401;
      setError(unknown ? new Error("There is no such key.") : reason);
      setBusy(false);
    }
  };
  return (
    <main class="page-main login">
      <h1>bellwether</h1>
      <p class="quiet">Log in with an API key that may query. It is not kept in this browser.</p>
      {ended && <p role="status">The session ended. Log in again to go on where you were.</p>}
      <form class="row" onSubmit={submit}>
        <label for="key">Key</label>
        <input id="key" name="key" type="password" autocomplete="current-password" required size={36} ref={takeFocus} />
        <button class="main" disabled={busy}>Log in</button>
      </form>
      {error !== null && <Problem error={error} />}
      <p class="small quiet">
        On the machine where Bellwether runs, <code>bellwether up</code> prints a link that logs in, and says
        where the first key is.
      </p>
    </main>
  );
}
