// A view whose scripts come when it is shown, so that others need not wait for them.

import type { ComponentType, FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";

export interface Later<P> extends FunctionComponent<P> {
  /** Fetch it before it is shown; what goes wrong is told when it is. */
  fetch: () => void;
}

/** The component that `load` fetches; it is asked for once, and again after a failure. */
export function later<P extends object>(load: () => Promise<ComponentType<P>>): Later<P> {
  let found: ComponentType<P> | null = null;
  let loading: Promise<void> | null = null;
  const fetch = () =>
    (loading ??= load().then(
      (view) => void (found = view),
      (reason: unknown) => {
        loading = null;
        throw reason;
      },
    ));
  function View(props: P) {
    const [, setThere] = useState(found !== null);
    const [fault, setFault] = useState<unknown>(null);
    useEffect(() => {
      if (!found) fetch().then(() => setThere(true), setFault);
    }, []);
    if (fault !== null) throw fault; // the frame says so, and offers to load the page again
    const Found = found;
    return Found && <Found {...props} />;
  }
  return Object.assign(View, { fetch: () => void fetch().catch(() => undefined) });
}
