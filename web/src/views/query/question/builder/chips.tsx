// A row of pieces: each can be clicked to edit it or taken away, and one more can be typed.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Query } from "../../../../api/types";
import type { TextFault } from "../../use_question";
import { visible } from "../typing/offers";
import { Piece } from "./piece";
import { readPiece, type Row } from "./rows";

interface Props {
  row: Row;
  spec: Query;
  dataset: string;
  /** What is wrong with pieces of this row. */
  faults: readonly TextFault[];
  /** Whether the row was opened to be typed into. */
  focus: boolean;
  onSpec: (spec: Query) => void;
  onRun: () => void;
  /** Where a click on what stands between two pieces changes it. */
  onBetween?: () => void;
}

export function Chips({ row, spec, dataset, faults, focus, onSpec, onRun, onBetween }: Props) {
  const [edited, setEdited] = useState<number | null>(null);
  const [turn, setTurn] = useState(0);
  const pieces = row.pieces(spec);
  const [refused, setRefused] = useState("");
  const wrong = (at: number) => faults.find((one) => pieceOf(row, spec, one) === at);
  const list = useRef<HTMLDivElement>(null);
  const left = useRef<number | null>(null);
  useLayoutEffect(() => {
    // The piece that was typed into is gone: its button has the focus again.
    const was = left.current;
    left.current = edited;
    if (edited !== null || was === null || document.activeElement !== document.body) return;
    list.current?.querySelectorAll<HTMLElement>("[data-piece]")[was]?.focus({ preventScroll: true });
  }, [edited]);
  const remove = (at: number) => {
    setRefused("");
    if (!row.whole || pieces.length < 2) return onSpec(row.change(spec, at, null));
    readPiece(row, spec, at, "").then(
      (found) => {
        if ("read" in found) onSpec(row.change(spec, at, found.read));
        else setRefused(`${pieces[at]} is needed: ${found.fault.why}`);
      },
      () => setRefused("The server cannot be reached."),
    );
  };
  const taken = (event: KeyboardEvent, at: number) => {
    if (event.key !== "Delete" && event.key !== "Backspace") return;
    event.preventDefault();
    remove(at);
    setTurn((old) => old + 1);
  };
  return (
    <div class="ask-row" data-row={row.name}>
      <span class="ask-label" id={`ask-${row.name}`}>
        {row.label}
      </span>
      <div class="ask-pieces" role="group" aria-labelledby={`ask-${row.name}`} ref={list}>
        {pieces.map((text, at) => (
          <span key={`${at} ${text}`} class="ask-item">
            {at > 0 && row.between(spec) !== "" && (
              <Between word={row.between(spec)} onClick={onBetween} />
            )}
            {edited === at ? (
              <Piece
                row={row}
                spec={spec}
                dataset={dataset}
                at={at}
                text={text}
                focus
                onDone={(read) => {
                  setEdited(null);
                  if (read) onSpec(row.change(spec, at, read));
                  else remove(at);
                }}
                onLeave={() => setEdited(null)}
                onRun={onRun}
              />
            ) : (
              <span class={wrong(at) ? "ask-chip wrong" : "ask-chip"}>
                <button class="mono" data-piece title={wrong(at)?.why ?? text} onClick={() => setEdited(at)} onKeyDown={(event) => taken(event, at)}>
                  {visible(text)}
                </button>
                <button class="ask-x" aria-label={`Remove ${text}`} onClick={(event) => {
                  remove(at);
                  // by a key: it goes on in the same row
                  if (event.detail === 0) setTurn((old) => old + 1);
                }}>
                  ×
                </button>
              </span>
            )}
          </span>
        ))}
        {!(row.single && pieces.length) && <Piece
          key={turn}
          row={row}
          spec={spec}
          dataset={dataset}
          at={pieces.length}
          text=""
          focus={turn > 0 || focus}
          onDone={(read, goOn) => {
            if (!read) return;
            onSpec(row.change(spec, pieces.length, read));
            if (goOn) setTurn((old) => old + 1);
          }}
          onLeave={() => undefined}
          onBack={() => pieces.length > 0 && setEdited(pieces.length - 1)}
          onRun={onRun}
        />}
        {refused && (
          <span class="small error" role="alert">
            ✕ {refused}
          </span>
        )}
      </div>
    </div>
  );
}

/** The piece of a row that a fault is about; formulas stand behind the calculations that are shown. */
function pieceOf(row: Row, spec: Query, fault: TextFault): number | null {
  if (fault.at === undefined || fault.at === null) return row.single ? 0 : null;
  if (fault.member !== "formulas") return fault.at;
  return row.pieces(spec).length - (spec.formulas?.length ?? 0) + fault.at;
}

function Between({ word, onClick }: { word: string; onClick: (() => void) | undefined }) {
  if (!onClick) return <span class="quiet small">{word}</span>;
  const other = word === "AND" ? "OR" : "AND";
  return (
    <button class="quiet small" title={`Join them with ${other}`} onClick={onClick}>
      {word}
    </button>
  );
}
