// Whether a part of the page has been in sight: what costs a question waits until then.

import { useEffect, useState } from "preact/hooks";
import type { RefObject } from "preact";

/** Stays true once it was in sight. */
export function useSeen(of: RefObject<Element | null>): boolean {
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (seen || !of.current) return;
    const watch = new IntersectionObserver((entries) => entries.some((one) => one.isIntersecting) && setSeen(true));
    watch.observe(of.current);
    return () => watch.disconnect();
  }, [seen]);
  return seen;
}
