// The editor of a text, or of one piece of it: CodeMirror with completion, colours and a mark under
// the word that is not understood.

import { acceptCompletion, autocompletion, closeCompletion, completionKeymap, completionStatus, pickedCompletion, startCompletion } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, redo, undo } from "@codemirror/commands";
import { EditorState, Prec, StateEffect, StateField, type Extension, type Transaction, type TransactionSpec } from "@codemirror/state";
import { Decoration, EditorView, highlightSpecialChars, keymap, placeholder, ViewPlugin, type Command, type DecorationSet, type ViewUpdate } from "@codemirror/view";
import { completions, isWhole, type Around } from "./complete";
import { LOOK } from "./editor_look";
import { goesOn, renderExamples } from "./offers";
import { isKeyword, tokensOf } from "../tokens";

export interface Marked {
  start: number;
  end: number;
  why: string;
}

export interface Wishes {
  label: string;
  hint?: string;
  around: () => Around;
  onChange: (text: string) => void;
  /** Ctrl-Enter. */
  onRun: () => void;
  /** Enter, in an editor of one line. */
  onEnter?: () => void;
  onEscape?: () => void;
  onLeave?: () => void;
  /** Backspace where nothing is typed. */
  onBack?: () => void;
  /** What is done with a text that is pasted; true if that is all. */
  onPaste?: (text: string) => boolean;
  /** A choice made what is typed a whole piece. */
  onWhole?: () => void;
}

export interface Editor {
  view: EditorView;
  text: () => string;
  /** Put another text there, as one step of undo. */
  set: (text: string) => void;
  mark: (faults: readonly Marked[]) => void;
  undo: () => void;
  redo: () => void;
  offer: () => void;
}

const setMark = StateEffect.define<readonly Marked[]>();

const marks = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(old, change) {
    let found = old.map(change.changes);
    for (const effect of change.effects) {
      if (effect.is(setMark)) found = marked(effect.value, change.state.doc.length);
    }
    return found;
  },
  provide: (field) => EditorView.decorations.from(field),
});

function marked(faults: readonly Marked[], length: number): DecorationSet {
  if (!length) return Decoration.none;
  const found = faults.map((one) => {
    const to = Math.min(Math.max(one.end, one.start + 1), length);
    const from = Math.min(one.start, to - 1);
    return Decoration.mark({ class: "cm-fault", attributes: { title: one.why } }).range(from, to);
  });
  return Decoration.set(found, true);
}

const colours = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = coloured(view);
    }
    update(update: ViewUpdate) {
      if (update.docChanged) this.decorations = coloured(update.view);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

function coloured(view: EditorView): DecorationSet {
  const found = tokensOf(view.state.doc.toString()).flatMap((token) => {
    const name = isKeyword(token) ? "cm-word" : token.kind === "text" || token.kind === "number" ? "cm-value" : "";
    return name ? [Decoration.mark({ class: name }).range(token.from, token.to)] : [];
  });
  return Decoration.set(found);
}

/** What is pasted into an editor of one line has blanks for its line breaks. */
function asOneLine(change: Transaction): Transaction | TransactionSpec {
  if (change.newDoc.lines < 2) return change;
  const insert = change.newDoc.toString().replace(/\s*\n\s*/g, " ").trim();
  return { changes: { from: 0, to: change.startState.doc.length, insert }, selection: { anchor: insert.length } };
}

function leaveEmpty(wishes: Wishes): Command {
  return (view) => {
    if (view.state.doc.length > 0 || wishes.onEscape === undefined) return false;
    closeCompletion(view);
    wishes.onEscape();
    return true;
  };
}

/** An editor within an element. It has to be ended with `view.destroy()`. */
export function makeEditor(parent: HTMLElement, text: string, wishes: Wishes): Editor {
  const nonce = document.querySelector<HTMLMetaElement>("meta[name=style-nonce]")?.content ?? "";
  const line = wishes.onEnter !== undefined;
  const keys = keymap.of([
    { key: "Mod-Enter", run: () => (wishes.onRun(), true) },
    // where nothing is typed yet, Tab goes on to the next place
    { key: "Tab", run: (view) => (view.state.doc.length > 0 ? acceptCompletion(view) : (closeCompletion(view), false)) },
    ...completionKeymap,
    ...(line ? [{ key: "Enter", run: () => (wishes.onEnter?.(), true) }] : []),
    { key: "Escape", run: () => (wishes.onEscape?.(), wishes.onEscape !== undefined) },
    {
      key: "Backspace",
      run: (view) => view.state.doc.length === 0 && wishes.onBack !== undefined && (wishes.onBack(), true),
    },
    ...historyKeymap,
    ...defaultKeymap,
  ]);
  const extensions: Extension[] = [
    EditorView.cspNonce.of(nonce),
    history(),
    // before the keys of what is offered: nothing is typed that one would lose, so it goes and one leaves
    ...(line ? [Prec.highest(keymap.of([{ key: "Escape", run: leaveEmpty(wishes) }]))] : []),
    keys,
    EditorView.lineWrapping,
    highlightSpecialChars(), // marks of direction would change what is read
    autocompletion({
      override: [completions(wishes.around)],
      activateOnCompletion: goesOn,
      icons: false,
      maxRenderedOptions: 60,
      interactionDelay: 0,
      tooltipClass: () => "cm-offers",
      addToOptions: [{ render: renderExamples, position: 90 }],
    }),
    marks,
    colours,
    LOOK,
    EditorView.contentAttributes.of({ "aria-label": wishes.label, spellcheck: "false", autocapitalize: "off" }),
    ...(wishes.hint ? [placeholder(wishes.hint)] : []),
    ...(line ? [EditorState.transactionFilter.of(asOneLine)] : []),
    EditorView.updateListener.of((update) => {
      if (!update.docChanged) return;
      const text = update.state.doc.toString();
      wishes.onChange(text);
      const picked = update.transactions.some((one) => one.annotation(pickedCompletion) !== undefined);
      const atEnd = update.state.selection.main.head === text.length;
      if (picked && atEnd && wishes.onWhole && isWhole(wishes.around().before, text)) setTimeout(wishes.onWhole);
    }),
    EditorView.domEventHandlers({
      blur: (_, view) => {
        wishes.onLeave?.();
        // what is still being looked for would be offered to nobody, over what is typed next
        setTimeout(() => !view.hasFocus && closeCompletion(view));
      },
      paste: (event) => {
        const text = event.clipboardData?.getData("text/plain") ?? "";
        return text !== "" && (wishes.onPaste?.(text) ?? false);
      },
      focus: (_, view) => {
        if (line && view.state.doc.length === 0) setTimeout(() => view.hasFocus && startCompletion(view));
      },
    }),
  ];
  const view = new EditorView({ parent, state: EditorState.create({ doc: text, extensions }) });
  return {
    view,
    text: () => view.state.doc.toString(),
    set(next) {
      if (next === view.state.doc.toString()) return;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next } });
    },
    mark: (faults) => view.dispatch({ effects: setMark.of(faults) }),
    undo: () => void undo(view),
    redo: () => void redo(view),
    offer: () => {
      if (completionStatus(view.state) === null) startCompletion(view);
    },
  };
}
