// How to send the first event: it notices when the event arrives, and leads on to its graph.

import { useEffect, useRef, useState } from "preact/hooks";
import { linkTo } from "../../address";
import { call } from "../../api/client";
import type { Who } from "../../session";
import { Sending } from "./sending";

const LOOK_MS = 1_000;
/** Of a stream of one event, the last minutes show more than the usual hours. */
const FIRST_ASK = "COUNT LAST 10m";

export function FirstEvent({ who }: { who: Who }) {
  const arrived = useFirstDataset();
  const link = useRef<HTMLAnchorElement>(null);
  useEffect(() => link.current?.focus(), [arrived]);
  return (
    <>
      <h1>Send the first event</h1>
      <p role="status" class={arrived ? "first-arrived" : "quiet"}>
        {arrived ? (
          <>
            ✓ The first event is there. See its graph: <a ref={link} {...linkTo({ view: "query", dataset: arrived.slug, ask: FIRST_ASK })}>{arrived.name}</a>
          </>
        ) : (
          "Nothing has been sent yet. This page notices when the first event arrives."
        )}
      </p>
      <Sending who={who} />
    </>
  );
}

interface Named {
  name: string;
  slug: string;
}

/** The first dataset of one's own, once there is one. */
function useFirstDataset(): Named | null {
  const [found, setFound] = useState<Named | null>(null);
  useEffect(() => {
    if (found) return;
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async () => {
      try {
        const all = document.hidden ? [] : await call("listDatasets", { signal: stop.signal });
        const own = all.find((one) => one.slug !== "bellwether");
        if (own) return setFound(own);
      } catch {
        // the next look tells
      }
      if (!stop.signal.aborted) timer = setTimeout(() => void look(), LOOK_MS);
    };
    void look();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [found]);
  return found;
}
