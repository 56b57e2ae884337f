// The question for elsewhere: as text, as a command, as a call of the API, as a link.

import { writeJson } from "../../../../api/exact";
import { useState } from "preact/hooks";
import { addressOf } from "../../../../api/client";
import type { Query } from "../../../../api/types";
import { toClipboard } from "../../../../parts/clipboard";

interface Props {
  dataset: string;
  text: string;
  spec: Query;
}

export function Copies({ dataset, text, spec }: Props) {
  const [done, setDone] = useState("");
  const copy = (what: string, made: string) => {
    toClipboard(made).then(
      () => setDone(`${what} copied`),
      () => setDone("the browser does not allow copying here"),
    );
    setTimeout(() => setDone(""), 2000);
  };
  const command = `bellwether query ${shell(dataset)} ${shell(text)}`;
  const { path, body } = requestOf(dataset, spec);
  const request = `curl -s ${shell(location.origin + path)} -H "X-Honeycomb-Team: $BELLWETHER_KEY" -d ${shell(writeJson(body))}`;
  return (
    <span class="ask-copies">
      <span class="quiet">copy</span>
      <button title={text} onClick={() => copy("Text", text)}>
        text
      </button>
      <button title={command} onClick={() => copy("Command", command)}>
        command
      </button>
      <button title={request} onClick={() => copy("Request", request)}>
        request
      </button>
      <button title={location.href} onClick={() => copy("Link", location.href)}>
        link
      </button>
      <span class="quiet" role="status">
        {done}
      </span>
    </span>
  );
}

/** The call that asks it: for groups, or for the events themselves. */
function requestOf(dataset: string, spec: Query): { path: string; body: object } {
  const { rows, ...plain } = spec as Query & { rows?: true };
  if (rows) return { path: addressOf("rows"), body: { dataset, ...plain } };
  return { path: addressOf("createQueryResult", { dataset }), body: { query: plain, wait_s: 10 } };
}

/** A text as one word of a shell. */
function shell(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
