// Copying, also where the browser gives a page without TLS no clipboard.

/** Put a text on the clipboard, also where the browser gives none to pages without TLS. */
export async function toClipboard(text: string): Promise<void> {
  if (isSecureContext) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "hidden";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("The browser does not let this page copy.");
}
