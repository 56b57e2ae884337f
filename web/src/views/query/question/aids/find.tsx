// Looks for a word in the names and the frequent values of fields: a click makes a condition or a group.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { isNumber } from "../../../../api/exact";
import { call } from "../../../../api/client";
import { Problem } from "../../../../parts/problem";
import { useAnswer } from "../../../../parts/use_answer";

interface Found {
  name: string;
  types?: string[];
  description?: string;
  values?: { value: unknown; stored: number }[];
}

export type Scalar = string | number | boolean;

interface Props {
  dataset: string;
  onValue: (field: string, value: Scalar) => void;
  onGroup: (field: string) => void;
  onWord: (word: string) => void;
  onClose: () => void;
}

const PAUSE_MS = 150;

export function Find({ dataset, onValue, onGroup, onWord, onClose }: Props) {
  const [typed, setTyped] = useState("");
  const [word, setWord] = useState("");
  const box = useRef<HTMLInputElement>(null);
  // Before the next key comes: one types on at once, and letters are keys of the screen too.
  useLayoutEffect(() => box.current?.focus(), []);
  useEffect(() => {
    const timer = setTimeout(() => setWord(typed.trim()), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  const answer = useAnswer(word ? JSON.stringify([dataset, word]) : null, async (signal) => {
    const found = await call("storedFields", {
      path: { dataset },
      query: { search: word, limit: 12, samples: 20 },
      signal,
    });
    return found.fields as Found[];
  });
  return (
    <section class="ask-aid" aria-label="Find a field or a value">
      <div class="row">
        <label>
          <span class="hidden">Find a field or a value</span>
          <input
            ref={box}
            value={typed}
            placeholder="a field or a value"
            onInput={(event) => setTyped(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "Escape") {
                event.preventDefault();
                onClose();
              }
              // What stands there, not what was looked for when typing last paused.
              if (event.key === "Enter" && typed.trim()) {
                event.preventDefault(); // the focus goes back at once, maybe to a button that Enter would press
                onWord(typed.trim());
              }
            }}
          />
        </label>
        {word && <button onClick={() => onWord(word)}>Events that hold “{word}” (Enter)</button>}
        <button onClick={onClose}>Close</button>
      </div>
      {answer.error !== null && <Problem error={answer.error} again={answer.again} />}
      {word && answer.value?.length === 0 && <p class="quiet">No field and no frequent value has it.</p>}
      <ul class="ask-history">
        {word &&
          answer.value?.map((one) => (
            <li key={one.name}>
              <button class="mono" title={`Group by ${one.name}`} onClick={() => onGroup(one.name)}>
                {one.name}
              </button>
              <span class="row">
                {matching(one, word).map((value) => (
                  <button key={String(value)} class="ask-chip mono" onClick={() => onValue(one.name, value)}>
                    {String(value).slice(0, 80)}
                  </button>
                ))}
              </span>
            </li>
          ))}
      </ul>
    </section>
  );
}

/** Its values that hold the word; where none does, the most frequent ones. */
function matching(one: Found, word: string): Scalar[] {
  const all = (one.values ?? []).flatMap(({ value }) =>
    typeof value === "string" || isNumber(value) || typeof value === "boolean" ? [value as number] : [],
  );
  const words = word.toLowerCase().split(/\s+/);
  const holding = all.filter((value) => words.some((each) => String(value).toLowerCase().includes(each)));
  return (holding.length ? holding : all).slice(0, 6);
}
