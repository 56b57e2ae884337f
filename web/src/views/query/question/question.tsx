// The question on top of the screen: as rows and as text, and what one does with it.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { go } from "../../../address";
import type { ApiError } from "../../../api/client";
import { namesOfDatasets } from "../../../api/datasets";
import type { Filter, Query } from "../../../api/types";
import { Problem } from "../../../parts/problem";
import type { TextFault } from "../use_question";
import { Copies } from "./aids/copies";
import { Find } from "./aids/find";
import { mayBe, understood } from "./aids/pasted";
import { History } from "./aids/history";
import { isTyping, KeyList, useKeys, type Key } from "./aids/keys";
import { Builder } from "./builder/builder";
import { withCondition, withGroup } from "./builder/rows";
import type { Editor } from "./typing/editor";
import { fieldsOf } from "./typing/facts";
import { remember } from "./typing/used";
import { TextForm } from "./text_form";
import { TimeRange } from "./times/picker";
import { moved, rangeOf, widened } from "./times/range";
import { DatasetChoice } from "./dataset_choice";
import { refusedWords } from "./refused";
import { useDraft, type Change } from "./use_draft";

interface Props {
  dataset: string;
  /** The question that is shown: the draft begins with it. */
  ask: string;
  busy: boolean;
  /** What the server refused of it, when it was asked. */
  refusal: ApiError | null;
  onRun: (text: string) => Promise<TextFault | null>;
  onCancel: () => void;
}

type Aid = "history" | "keys" | "find" | "times" | null;

export function QuestionPanel({ dataset, ask, busy, refusal, onRun, onCancel }: Props) {
  const draft = useDraft(ask);
  const panel = useRef<HTMLElement>(null);
  const editor = useRef<Editor | null>(null);
  const [unfolded, setUnfolded] = useState(false);
  const [aid, setAidState] = useState<Aid>(null);
  const before = useRef<Element | null>(null);
  const setAid = (next: Aid) => {
    if (aid === null && next !== null) before.current = document.activeElement;
    setAidState(next);
  };
  useLayoutEffect(() => {
    // What is closed had the focus: it goes back to where it came from.
    if (aid !== null || document.activeElement !== document.body) return;
    if (before.current instanceof HTMLElement && before.current.isConnected) before.current.focus({ preventScroll: true });
    before.current = null;
  }, [aid]);
  const [refused, setRefused] = useState<{ text: string; fault: TextFault } | null>(null);
  const [failed, setFailed] = useState<unknown>(null);
  const { spec } = draft;

  const run = async (text: string) => {
    setFailed(null);
    try {
      const fault = await onRun(text);
      setRefused(fault && { text, fault });
      if (!fault && spec) remember(draft.dataset ?? dataset, spec);
    } catch (reason) {
      setFailed(reason);
    }
  };
  const runSoon = () => void draft.latest().then(run);
  const askAbout = (next: Query, change?: Change) => {
    draft.setSpec(next, change);
    runSoon();
  };
  /** What is pasted as a question is asked; whatever else stays a text. */
  const paste = (text: string) => {
    if (!mayBe(text)) return false;
    const whole = () => draft.replace(text);
    understood(text).then((found) => {
      if (!found) whole();
      else if ("place" in found) go(found.place);
      else go({ view: "query", dataset: found.dataset ?? dataset, ask: found.ask });
    }, whole);
    return true;
  };
  const toggle = (name: Exclude<Aid, null>) => setAid(aid === name ? null : name);
  const type = (row: string) => {
    const box = panel.current?.querySelector<HTMLElement>(`[data-row=${row}] .ask-pieces > .ask-piece .cm-content`);
    // on narrow screens there is the text alone
    if (box && box.offsetParent !== null) box.focus();
    else editor.current?.view.focus();
  };
  const change = (make: (spec: Query) => Query) => {
    if (spec) askAbout(make(spec));
  };
  const about = draft.dataset ?? dataset;
  useEffect(() => void fieldsOf(about), [about]); // so that the first completion is there at once
  const leave = () => {
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  };
  const keys: Key[] = [
    { key: "/", about: "find a field or a value", do: () => toggle("find") },
    { key: "v", about: "visualize", do: () => type("visualize") },
    { key: "w", about: "where", do: () => type("where") },
    { key: "g", about: "group by", do: () => type("group") },
    { key: "a", about: "the answer: its first graph", do: () => document.querySelector<HTMLElement>(".graphs .plot, .rows [data-group]")?.focus() },
    { key: "t", about: "time range", do: () => toggle("times") },
    { key: "h", about: "what I asked before", do: () => toggle("history") },
    { key: "[", about: "earlier", do: () => change((one) => moved(one, -1)) },
    { key: "]", about: "later", do: () => change((one) => (rangeOf(one).end === null ? one : moved(one, 1))) },
    { key: "z", about: "zoom out: twice as long", do: () => change(widened) },
    { key: "?", about: "these keys", do: () => toggle("keys") },
    {
      key: "Escape",
      about: "close what is open, cancel what runs, leave what is typed into",
      idle: aid === null && !busy && !isTyping(document.activeElement),
      do: () => (aid ? setAid(null) : busy ? onCancel() : leave()),
    },
  ];
  useKeys(keys);
  useEffect(() => {
    // from anywhere on the screen; editors have their own
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || !(event.ctrlKey || event.metaKey)) return;
      const key = event.key.toLowerCase();
      if (key === "enter") runSoon();
      else if (isTyping(event.target)) return;
      else if (key === "z" && !event.shiftKey) editor.current?.undo();
      else if (key === "y" || key === "z") editor.current?.redo();
      else return;
      event.preventDefault();
    };
    // a question that is pasted anywhere else is the next one
    const onPaste = (event: ClipboardEvent) => {
      const text = event.clipboardData?.getData("text/plain").trim() ?? "";
      if (!text || isTyping(event.target)) return;
      event.preventDefault();
      if (!paste(text)) draft.replace(text);
    };
    addEventListener("keydown", onKey);
    addEventListener("paste", onPaste);
    return () => {
      removeEventListener("keydown", onKey);
      removeEventListener("paste", onPaste);
    };
  });
  const later = refused?.text === draft.text ? [refused.fault] : [];
  const asked = refusal && draft.text === ask ? refusedWords(refusal, draft.places, [...draft.text].length) : [];
  const faults = useMemo(() => (draft.faults.length ? draft.faults : later.length ? later : asked), [draft.faults, refused, refusal, draft.text, draft.places]);
  const error = draft.error ?? failed;
  return (
    <section class="panel ask" aria-label="The question" ref={panel}>
      <div class="ask-head">
        {spec && (
          <TimeRange spec={spec} words={draft.range} open={aid === "times"} onOpen={(open) => setAid(open ? "times" : null)} onSpec={askAbout} />
        )}
        {spec && (
          <DatasetChoice here={dataset} chosen={draft.dataset} onDataset={(name) => askAbout(spec, { dataset: name })} />
        )}
        <span class="ask-grow" />
        <button class="ask-fold" aria-expanded={unfolded} onClick={() => setUnfolded(!unfolded)}>
          Rows
        </button>
        <button title="Ctrl-Z" onClick={() => editor.current?.undo()}>
          Undo
        </button>
        <button title="Ctrl-Y" onClick={() => editor.current?.redo()}>
          Redo
        </button>
        <button aria-expanded={aid === "find"} title="/" onClick={() => toggle("find")}>
          Find
          <kbd aria-hidden="true">/</kbd>
        </button>
        <button aria-expanded={aid === "history"} title="h" onClick={() => toggle("history")}>
          History
          <kbd aria-hidden="true">h</kbd>
        </button>
        <button aria-expanded={aid === "keys"} title="?" onClick={() => toggle("keys")}>
          Keys
          <kbd aria-hidden="true">?</kbd>
        </button>
      </div>
      {aid === "keys" && <KeyList keys={keys} onClose={() => setAid(null)} />}
      {aid === "history" && <History dataset={dataset} onClose={() => setAid(null)} />}
      {aid === "find" && spec && (
        <Find
          dataset={about}
          onValue={(column, value) => {
            setAid(null);
            askAbout(withCondition(spec, { column, op: "=", value }));
          }}
          onWord={(value) => {
            setAid(null);
            askAbout(withCondition(spec, { op: "search", value } as Filter));
          }}
          onGroup={(column) => {
            setAid(null);
            askAbout(withGroup(spec, column));
          }}
          onClose={() => setAid(null)}
        />
      )}
      {spec && <Builder unfolded={unfolded} spec={spec} dataset={about} faults={faults} onSpec={draft.setSpec} onRun={runSoon} />}
      <div class="ask-line">
        <div class="ask-form">
          <TextForm
            text={draft.text}
            put={draft.put}
            faults={faults}
            dataset={about}
            datasets={namesOfDatasets}
            onText={draft.setText}
            onRun={(text) => void run(text)}
            onPaste={paste}
            onEditor={(made) => {
              editor.current = made;
            }}
          >
            {spec && <Copies dataset={about} text={draft.text} spec={spec} />}
          </TextForm>
        </div>
        <RunButton busy={busy} onRun={runSoon} onCancel={onCancel} />
      </div>
      {error !== null && <Problem error={error} />}
    </section>
  );
}

function RunButton({ busy, onRun, onCancel }: { busy: boolean; onRun: () => void; onCancel: () => void }) {
  // one button, so that nothing jumps and focus stays
  return (
    <button class={busy ? "ask-run" : "ask-run main"} onClick={busy ? onCancel : onRun} title={busy ? "Esc" : "Ctrl-Enter"}>
      {busy ? "Cancel" : "▶ Run"}
      <kbd aria-hidden="true">{busy ? "Esc" : "^⏎"}</kbd>
    </button>
  );
}
