// What one does with the rows of a trace: search, go from error to error, collapse, hide events, zoom out.

import { useEffect } from "preact/hooks";
import { plain } from "../../../look/units";
import type { Tree } from "../tree";

interface Props {
  tree: Tree;
  word: string;
  hits: readonly number[];
  chosen: number | null;
  events: boolean;
  /** Rows that have something in the part that is shown; null while all is shown. */
  inWindow: number | null;
  onWord: (word: string) => void;
  onChoose: (at: number) => void;
  onEvents: (shown: boolean) => void;
  onCollapse: () => void;
  onExpand: () => void;
  onWhole: () => void;
}

export function Tools({ tree, word, hits, chosen, events, inWindow, onWord, onChoose, onEvents, onCollapse, onExpand, onWhole }: Props) {
  const errors = tree.lines.flatMap((line, at) => (line.error ? [at] : []));
  const step = (among: readonly number[], back: boolean) => {
    const here = chosen ?? -1;
    const next = back
      ? (among.filter((at) => at < here).at(-1) ?? among.at(-1))
      : (among.find((at) => at > here) ?? among[0]);
    if (next !== undefined) onChoose(next);
  };
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
      if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "z") onWhole();
      else if (event.key === "e") step(errors, false);
      else if (event.key === "/") document.getElementById("trace-word")?.focus();
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  });
  return (
    <div class="row small" role="toolbar" aria-label="rows">
      <input
        id="trace-word"
        aria-label="search in this trace: names, services, texts, ids"
        placeholder="⌕ name, service, text, id ( / )"
        value={word}
        onInput={(event) => onWord(event.currentTarget.value)}
        onKeyDown={(event) => event.key === "Enter" && step(hits, event.shiftKey)}
      />
      {word.trim() && (
        <>
          <span class="quiet" role="status">{plain(hits.length)} of {plain(tree.lines.length)} lines</span>
          <button disabled={!hits.length} onClick={() => step(hits, true)} aria-label="hit before">‹</button>
          <button disabled={!hits.length} onClick={() => step(hits, false)} aria-label="next hit">›</button>
        </>
      )}
      {errors.length > 0 && (
        <button class="error" onClick={() => step(errors, false)} title="key e">✕ next error ({plain(errors.length)})</button>
      )}
      <button onClick={onCollapse}>collapse all</button>
      <button onClick={onExpand}>expand all</button>
      <label class="row" style={{ gap: "4px" }}>
        <input type="checkbox" checked={events} onChange={(event) => onEvents(event.currentTarget.checked)} />
        events, links, logs
      </label>
      {inWindow !== null && (
        <>
          <span class="quiet">{plain(inWindow)} rows in this part</span>
          <button onClick={onWhole} title="key z">whole trace</button>
        </>
      )}
    </div>
  );
}
