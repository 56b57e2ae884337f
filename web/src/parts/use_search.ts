// The words of a search field that are a part of the address: each follows the other.

import { useEffect, useRef, useState } from "preact/hooks";

const PAUSE_MS = 200;

/** What stands in the field, and what sets it. `onSearch` has the words once typing pauses. */
export function useSearch(search: string, onSearch: (words: string) => void): [string, (text: string) => void] {
  const [typed, setTyped] = useState(search);
  const now = useRef(onSearch);
  now.current = onSearch;
  // What the address has because it was typed here: it is no reason to change what is typed on.
  const told = useRef(search);
  useEffect(() => {
    if (search === told.current) return;
    told.current = search;
    setTyped(search);
  }, [search]);
  useEffect(() => {
    const words = typed.trim();
    if (words === told.current) return;
    const timer = setTimeout(() => {
      told.current = words;
      now.current(words);
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return [typed, setTyped];
}
