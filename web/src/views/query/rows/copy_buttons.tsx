// Copy the rows as CSV, JSON or Markdown.

import { useState } from "preact/hooks";
import { plain } from "../../../look/units";
import { wordsOf } from "../../../parts/problem";
import { toClipboard } from "../../../parts/clipboard";
import { asCsv, asJson, asMarkdown, type Table } from "./copy";

const FORMS = [
  ["CSV", asCsv],
  ["JSON", asJson],
  ["Markdown", asMarkdown],
] as const;

export function CopyButtons({ table }: { table: () => Table }) {
  const [told, setTold] = useState("");
  const copy = (name: string, made: string, rows: number) =>
    toClipboard(made).then(
      () => setTold(`${plain(rows)} rows copied as ${name}`),
      (reason: unknown) => setTold(`not copied: ${wordsOf(reason)}`),
    );
  return (
    <span class="row small quiet copy">
      <span role="status">{told || "copy as"}</span>
      {FORMS.map(([name, make]) => (
        <button
          key={name}
          class="small"
          onClick={() => {
            const made = table();
            void copy(name, make(made), made.rows.length);
          }}
        >
          {name}
        </button>
      ))}
    </span>
  );
}
