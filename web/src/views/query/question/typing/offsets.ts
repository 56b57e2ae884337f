// Places in a text: the server counts characters, the browser counts units of UTF-16.

/** The same place in units of UTF-16. */
export function utf16Of(text: string, characters: number): number {
  let at = 0;
  for (let seen = 0; seen < characters && at < text.length; seen += 1) {
    at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  }
  return at;
}
