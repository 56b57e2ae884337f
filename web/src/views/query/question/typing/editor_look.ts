// How editors look: the page's own colours, so that light and dark follow by themselves.

import { EditorView } from "@codemirror/view";

export const LOOK = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "transparent", fontSize: "13px" },
  "&.cm-focused": { outline: "none" },
  ".cm-content": { fontFamily: "var(--mono)", lineHeight: "20px", padding: "4px 0", caretColor: "var(--ink)" },
  ".cm-line": { padding: "0 2px" },
  ".cm-scroller": { overflow: "auto", maxHeight: "160px" },
  ".cm-placeholder": { color: "var(--quiet)", fontFamily: "inherit" },
  ".cm-word": { fontWeight: "600" },
  ".cm-value": { color: "var(--accent)" },
  ".cm-fault": {
    textDecoration: "underline wavy var(--error)",
    textDecorationSkipInk: "none",
    textUnderlineOffset: "3px",
  },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, ::selection": {
    backgroundColor: "var(--hover)",
  },
  ".cm-tooltip": {
    backgroundColor: "var(--raised)",
    color: "var(--ink)",
    border: "1px solid var(--line)",
    borderRadius: "4px",
    boxShadow: "0 4px 16px rgb(0 0 0 / 0.18)",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", fontSize: "13px", maxHeight: "260px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": {
    padding: "2px 8px", lineHeight: "20px", display: "flex", alignItems: "baseline",
  },
  ".cm-completionLabel": { overflow: "hidden", textOverflow: "ellipsis", unicodeBidi: "isolate", maxWidth: "420px" },
  ".cm-examples": {
    color: "var(--quiet)", fontSize: "12px", marginLeft: "auto", paddingLeft: "24px", minWidth: "0",
    overflow: "hidden", textOverflow: "ellipsis", unicodeBidi: "isolate", flexShrink: "1000",
  },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--hover)", color: "var(--ink)" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
  ".cm-completionDetail": { color: "var(--quiet)", fontStyle: "normal", marginLeft: "12px", fontSize: "12px", flexShrink: "0" },
});
