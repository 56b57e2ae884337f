// What differs: the selected events beside the others of the question, field by field.

import { writeJson } from "../../../api/exact";
import { useEffect, useRef, useState } from "preact/hooks";
import { go } from "../../../address";
import { call } from "../../../api/client";
import type { Query } from "../../../api/types";
import { plain } from "../../../look/units";
import { toClipboard } from "../../../parts/clipboard";
import { Problem } from "../../../parts/problem";
import { useAnswer } from "../../../parts/use_answer";
import { CoverageWords } from "../coverage";
import type { Range } from "../graphs/answer";
import { useAsks } from "../graphs/asked";
import type { QueryPlace } from "../graphs/change";
import type { DifferingField, SameField } from "./answer";
import { heldTo } from "./held";
import { FieldPicture } from "./field";
import { readSelection } from "./selection";
import { SelectionAsks } from "./selection_asks";
import { useMixed } from "../question/typing/use_mixed";
import { SelectionForm } from "./selection_form";

interface Props {
  place: QueryPlace;
  spec: Query;
  range: Range | null;
}

/** Fields that are shown at first, and with each further step of scrolling. */
const FIELDS_STEP = 12;
/** Fields of one answer, which costs the same however few it lists: scrolling asks again seldom. */
const FIELDS_ASKED = 50;
/** More are not looked at. */
const FIELDS_MAX = 1_000;

export function Differs({ place, spec, range }: Props) {
  const selection = readSelection(place.selection);
  const mixed = useMixed(place.dataset);
  const [shown, setShown] = useState(FIELDS_STEP);
  const limit = Math.min(FIELDS_MAX, FIELDS_ASKED * Math.ceil(shown / FIELDS_ASKED));
  const [fault, setFault] = useState<unknown>(null);
  const [copied, setCopied] = useState(false);
  useEffect(() => setFault(null), [place]);
  useEffect(() => setShown(FIELDS_STEP), [place.selection, place.ask]);
  useEffect(() => setCopied(false), [place.selection, place.ask]);
  // The range is that of the answer above, so that a link shows the same events later.
  const query = heldTo(spec, range);
  const key = selection ? writeJson([place.dataset, query, selection, limit]) : null;
  const answer = useAnswer(key, (signal) =>
    call("differences", { body: { dataset: place.dataset, query, selection: selection ?? [], limit }, signal }),
  );
  const found = key ? answer.value : undefined;
  const { ask } = useAsks(place, setFault);
  const next = (of: Query) => ask(of, "results");
  const copy = () => void toClipboard(location.href).then(() => setCopied(true), setFault);
  const fields = ((found?.fields ?? []) as DifferingField[]).filter((field) => field.score > 0).slice(0, shown);
  const hidden = (found?.differing ?? fields.length) - fields.length;
  return (
    <section class="differs" aria-label="What differs">
      <SelectionForm
        dataset={place.dataset}
        selection={selection}
        onSelect={(chosen) => {
          const { selection: _, ...kept } = place;
          go(chosen ? { ...kept, selection: writeJson(chosen) } : kept);
        }}
      />
      {selection && found !== undefined && found.inside.events > 0 && (
        <SelectionAsks {...{ place, spec, selection, range }} onFault={setFault} />
      )}
      {!selection && (
        <p class="quiet">
          Say which events are odd: type a condition, draw a box in a heatmap, or click a group in the
          results. They are compared with the other events of the question, in every field.
        </p>
      )}
      {fault !== null && <Problem error={fault} />}
      {key && answer.error !== null && <Problem error={answer.error} again={answer.again} />}
      {answer.slow && <p class="quiet" role="status">Comparing the fields…</p>}
      {found && (
        <div style={{ opacity: answer.slow ? 0.5 : 1 }}>
          <p class="small quiet">
            <span class="key inside" /> {plain(found.inside.events)} events inside ·{" "}
            <span class="key outside" /> {plain(found.outside.events)} outside ·{" "}
            {found.looked_at !== undefined && `${plain(found.looked_at)} fields looked at · `}
            <CoverageWords coverage={found.coverage} />{" "}
            <button class="small" onClick={copy}>{copied ? "Link copied" : "Copy link"}</button>
            {found.notes.map((note) => (
              <span key={note}><br />{note}</span>
            ))}
          </p>
          {!fields.length && <p class="quiet">{emptyWords(found.inside.events, found.outside.events)}</p>}
          <Fields title="Categories" fields={fields.filter((one) => one.kind === "values")} {...{ spec, mixed }} onAsk={next} />
          <Fields title="Numbers" fields={fields.filter((one) => one.kind === "numbers")} {...{ spec, mixed }} onAsk={next} />
          {hidden > 0 && <More key={fields.length} hidden={hidden} onMore={() => setShown(fields.length + FIELDS_STEP)} />}
          <Same fields={found.same as SameField[]} {...{ spec, mixed }} onAsk={next} />
        </div>
      )}
    </section>
  );
}

function emptyWords(inside: number, outside: number): string {
  if (!inside) return "No event of the question is selected: a wider condition would select some.";
  if (!outside) return "Every event of the question is selected, so there is nothing to compare them with.";
  return "In no field do the selected events differ by more than chance makes of so many events.";
}

/** Shows more fields once it is scrolled to; it has to be another one for each number of fields. */
function More({ hidden, onMore }: { hidden: number; onMore: () => void }) {
  const box = useRef<HTMLButtonElement>(null);
  const asked = useRef(onMore);
  asked.current = onMore;
  useEffect(() => {
    if (!box.current) return;
    const watcher = new IntersectionObserver(([seen]) => seen?.isIntersecting && asked.current());
    watcher.observe(box.current);
    return () => watcher.disconnect();
  }, []);
  return <button ref={box} onClick={onMore}>{hidden === 1 ? "1 more field differs" : `${hidden} more fields differ`}</button>;
}

interface Listed {
  spec: Query;
  mixed: ReadonlySet<string>;
  onAsk: (spec: Query) => void;
}

function Fields({ title, fields, ...rest }: Listed & { title: string; fields: DifferingField[] }) {
  if (!fields.length) return null;
  return (
    <>
      <h2>{title}</h2>
      <div class="differing-fields">
        {fields.map((field) => (
          <FieldPicture key={field.name} field={field} {...rest} />
        ))}
      </div>
    </>
  );
}

/** Those that say the selection again are one line, until one wants to see them. */
function Same({ fields, ...rest }: Listed & { fields: SameField[] }) {
  const [open, setOpen] = useState(false);
  if (!fields.length) return null;
  const names = fields.map((one) => (one.why === "follows" ? `${one.name} (follows from ${one.from ?? "it"})` : one.name));
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary class="quiet">
        {fields.length === 1 ? "1 field only repeats" : `${fields.length} fields only repeat`} the selection:{" "}
        {names.slice(0, 5).join(", ")}
        {names.length > 5 && " …"}
      </summary>
      {open && (
        <div class="differing-fields">
          {fields.map((field) => (
            <FieldPicture key={field.name} field={field} {...rest} />
          ))}
        </div>
      )}
    </details>
  );
}
