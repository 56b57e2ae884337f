// The question on top of the screen: as text, and how it is run and cancelled.

import { useEffect, useRef, useState } from "preact/hooks";
import { call } from "../../../api/client";
import { Problem } from "../../../parts/problem";
import type { TextFault } from "../use_question";
import { Builder } from "./builder/builder";
import type { Editor } from "./editor";
import { TextForm } from "./text_form";
import { useDraft } from "./use_draft";
import "./question.css";

interface Props {
  dataset: string;
  /** The question that is shown: the draft begins with it. */
  ask: string;
  busy: boolean;
  onRun: (text: string) => Promise<TextFault | null>;
  onCancel: () => void;
}

export function QuestionPanel({ dataset, ask, busy, onRun, onCancel }: Props) {
  const draft = useDraft(ask);
  const editor = useRef<Editor | null>(null);
  const [refused, setRefused] = useState<{ text: string; fault: TextFault } | null>(null);
  const run = async (text: string) => {
    const fault = await onRun(text);
    setRefused(fault && { text, fault });
  };
  const runSoon = () => void draft.latest().then(run);
  useEffect(() => {
    // from anywhere on the screen; the editor has its own
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      runSoon();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });
  const fault = draft.fault ?? (refused?.text === draft.text ? refused.fault : null);
  return (
    <section class="panel ask" aria-label="The question">
      {draft.spec && (
        <Builder spec={draft.spec} dataset={dataset} onSpec={draft.setSpec} onRun={runSoon} />
      )}
      <div class="ask-line">
        <div class="ask-form">
          <TextForm
            text={draft.text}
            put={draft.put}
            fault={fault}
            dataset={dataset}
            datasets={namesOfDatasets}
            onText={draft.setText}
            onRun={(text) => void run(text)}
            onEditor={(made) => {
              editor.current = made;
            }}
          />
        </div>
        <RunButton busy={busy} onRun={runSoon} onCancel={onCancel} />
      </div>
      {draft.error !== null && <Problem error={draft.error} />}
    </section>
  );
}

function RunButton({ busy, onRun, onCancel }: { busy: boolean; onRun: () => void; onCancel: () => void }) {
  // one button, so that nothing jumps and focus stays
  return (
    <button class={busy ? "ask-run" : "ask-run main"} onClick={busy ? onCancel : onRun} title={busy ? "Esc" : "Ctrl-Enter"}>
      {busy ? "Cancel" : "Run"}
    </button>
  );
}

async function namesOfDatasets(): Promise<string[]> {
  const found = await call("listDatasets").catch(() => []);
  return (found as { name?: string }[]).flatMap((one) => (one.name ? [one.name] : []));
}
