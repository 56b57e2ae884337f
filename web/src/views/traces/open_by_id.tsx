// The header's field: a trace is opened by its id.

import { useState } from "preact/hooks";
import { go } from "../../address";

export function OpenTrace() {
  const [typed, setTyped] = useState("");
  const open = (event: Event) => {
    event.preventDefault();
    const id = typed.trim();
    if (!id) return;
    setTyped("");
    go({ view: "trace", id });
  };
  return (
    <form class="row" onSubmit={open} role="search">
      <input
        class="mono open-trace"
        aria-label="open the trace with this id"
        placeholder="⌕ trace id"
        spellcheck={false}
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
    </form>
  );
}
