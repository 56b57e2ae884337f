// Two traces beside each other: the most telling difference first, in words.

import { useEffect, useState } from "preact/hooks";
import { go, type Place } from "../../../address";
import { call } from "../../../api/client";
import { plain } from "../../../look/units";
import { Problem } from "../../../parts/problem";
import { useAnswer } from "../../../parts/use_answer";
import { CoverageWords } from "../../query/coverage";
import { loadTrace } from "../trace_answer";
import { say, type Difference } from "./say";
import { Pairs } from "./pairs";

const FIRST = 12;

export function CompareView({ place }: { place: Extract<Place, { view: "compare" }> }) {
  const { one, other } = place;
  const [told, setTold] = useState<Difference | null>(null);
  const [all, setAll] = useState(false);
  useEffect(() => {
    setTold(null);
    setAll(false);
  }, [one, other]);
  const answer = useAnswer(`${one} ${other}`, async (signal) => {
    const [compared, here, there] = await Promise.all([
      call("compareTraces", { body: { trace: one, with: other }, signal }),
      loadTrace(one, signal),
      loadTrace(other, signal),
    ]);
    return { compared, here, there };
  });
  if (answer.error) return <Problem error={answer.error} again={answer.again} />;
  if (!answer.value) return answer.slow ? <p class="quiet">Comparing …</p> : null;
  const { compared, here, there } = answer.value;
  const [first, ...rest] = compared.differences;
  const listed = all ? compared.differences : compared.differences.slice(0, FIRST);
  const total = Object.values(compared.counts).reduce((sum, count) => sum + count, 0);
  const marksOf = (missing: boolean) =>
    new Map(
      compared.differences
        .filter((each) => (each.what === "missing") === missing)
        .reverse()
        .map((each) => [each.span_id, SIGNS[each.what]] as const),
    );
  return (
    <div class="dims" style={{ opacity: answer.slow ? 0.5 : 1 }}>
      <div class="spread">
        <h1>{first ? sentence(first) : "Nothing differs: the same steps, none slower, none failed."}</h1>
        <button onClick={() => go({ view: "compare", one: other, other: one })}>Swap</button>
      </div>
      <p class="small quiet trace-facts">
        {Object.entries(compared.counts).map(([what, count]) => `${plain(count)} ${what}`).join(" · ")}
        {total > 0 && " · "}
        <CoverageWords coverage={compared.coverage} />
      </p>
      {compared.notes.map((note) => <p class="small quiet trace-facts" key={note}>{note}</p>)}
      {rest.length > 0 && (
        <ol class="trace-differences small">
          {listed.map((each, at) => (
            <li key={at}>
              <button aria-pressed={told === each} onClick={() => setTold(each)}>{sentence(each)}</button>
            </li>
          ))}
        </ol>
      )}
      {compared.differences.length > listed.length && (
        <button class="small" onClick={() => setAll(true)}>all {plain(compared.differences.length)} that are told</button>
      )}
      <Pairs here={here} there={there} marks={{ here: marksOf(false), there: marksOf(true) }} told={told?.span_id ?? null} />
    </div>
  );
}

const SIGNS: Record<Difference["what"], string> = {
  missing: "− missing", failed: "✕ failed", added: "+ added", repeated: "↻ repeated",
  slower: "▲ slower", recovered: "✓ recovered", field: "≠ field",
};

function sentence(one: Difference): string {
  const said = say(one);
  return said.charAt(0).toUpperCase() + said.slice(1);
}
