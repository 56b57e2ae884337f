// The frame of every view: who is logged in, where one is, and the keys that work everywhere.

import { useEffect, useRef, useState } from "preact/hooks";
import { go, linkTo, placeOf, usePlace, type Place } from "./address";
import { ApiError, call, onSessionEnd } from "./api/client";
import { useUnreachable } from "./api/connection";
import { persist, Retrying } from "./api/persist";
import { timeOf, utcOf } from "./look/times";
import { Caught } from "./parts/caught";
import { later } from "./parts/later";
import { Problem } from "./parts/problem";
import { currentSession, type Who } from "./session";
import { FieldsView } from "./views/fields/fields";
import { HistoryView } from "./views/history/history";
import { Login } from "./views/login";
import { isTyping } from "./views/query/question/aids/keys";
import { Start } from "./views/start/start";
import { CompareView } from "./views/traces/two/compare";
import { TraceView } from "./views/traces/one/trace";
import { OpenTrace } from "./views/traces/open_by_id";

const UNKNOWN = 401;

// What edits a question and draws its answer is most of the page; nothing else needs it.
const QueryView = later(() => import("./views/query/query").then((part) => part.QueryView));
const TracesView = later(() => import("./views/traces/find").then((part) => part.TracesView));
/** Then one who is on another view has seen it, and most likely asks something next. */
const FETCHED_MS = 1_000;

export function App() {
  const [who, setWho] = useState<Who | null>();
  const [error, setError] = useState<unknown>(null);
  const [ended, setEnded] = useState(false);
  const begin = () => {
    setError(null);
    const stop = new AbortController();
    persist(currentSession, stop.signal, setError).then(
      (found) => {
        setError(null);
        setWho(found);
      },
      (reason: unknown) => {
        if (stop.signal.aborted) return;
        if (reason instanceof ApiError && reason.status === UNKNOWN) setWho(null);
        else setError(reason);
      },
    );
    return () => stop.abort();
  };
  const enter = (found: Who) => {
    setEnded(false);
    setWho(found);
  };
  useEffect(begin, []);
  useEffect(() => {
    // beside the session's call where it is the next thing that is needed
    const { view } = placeOf(new URL(location.href));
    if (view === "query") QueryView.fetch();
    const timer = setTimeout(QueryView.fetch, FETCHED_MS);
    return () => clearTimeout(timer);
  }, []);
  useEffect(
    () =>
      onSessionEnd(() => {
        setEnded(true);
        setWho(null);
      }),
    [],
  );
  if (who === null) return <Login ended={ended} onDone={enter} />;
  if (who !== undefined) return <Frame who={who} onLeave={() => setWho(null)} />;
  if (!error) return null;
  return <main class="page-main"><Problem error={error} alone again={error instanceof Retrying ? undefined : begin} /></main>;
}

function Frame({ who, onLeave }: { who: Who; onLeave: () => void }) {
  const place = usePlace();
  const [fault, setFault] = useState<unknown>(null);
  const leave = () => void call("logOut").then(onLeave, setFault);
  const away = useUnreachable();
  useEffect(() => {
    document.title = titleOf(place);
  }, [place]);
  const where = place.view === "trace" ? place.id : place.view;
  const shown = useRef(where);
  useEffect(() => {
    // What was clicked is gone with its view: the next key is about the new one.
    const gone = shown.current !== where && document.activeElement === document.body;
    shown.current = where;
    if (gone) document.getElementById("main")?.focus({ preventScroll: true });
  }, [where]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "h" || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      // a question has its own history beside it
      if (place.view !== "query" && !isTyping(event.target)) go({ view: "history" });
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [place]);
  return (
    <>
      <a class="hidden skip" href="#main">To the content</a>
      <header class="page-header">
        <a class="name" {...linkTo({ view: "start" })}>bellwether</a>
        <span class="quiet">{who.environment.name}</span>
        <nav aria-label="views">
          <a {...linkTo({ view: "traces", ask: "" })}>Traces</a>
          <a {...linkTo({ view: "history" })} title="h">History</a>
          <a href="/docs">API</a>
        </nav>
        <span class="grow" />
        <OpenTrace />
        <span class="quiet small">{who.name}</span>
        <button class="small" onClick={leave}>Log out</button>
      </header>
      {away !== null && (
        <p class="page-down error" role="status">
          ⚠ The server cannot be reached since <span title={utcOf(away)}>{timeOf(away)}</span>. What is shown is from before; this goes on by itself once it is back.
        </p>
      )}
      <main class={away === null ? "page-main dims" : "page-main dims stale"} id="main" tabIndex={-1}>
        {fault !== null && <Problem error={fault} />}
        <Caught place={place}>
          <View place={place} who={who} />
        </Caught>
      </main>
    </>
  );
}

/** What the browser's tab and history say. */
function titleOf(place: Place): string {
  switch (place.view) {
    case "query":
      return `${place.ask || place.dataset} · ${place.dataset} · Bellwether`;
    case "fields":
      return `Fields of ${place.dataset} · Bellwether`;
    case "traces":
    case "compare":
      return "Traces · Bellwether";
    case "trace":
      return `Trace ${place.id} · Bellwether`;
    case "history":
      return "History · Bellwether";
    default:
      return "Bellwether";
  }
}

function View({ place, who }: { place: Place; who: Who }) {
  switch (place.view) {
    case "query":
      return <QueryView place={place} key={place.dataset} />;
    case "traces":
      return <TracesView place={place} />;
    case "trace":
      return <TraceView place={place} key={place.id} />;
    case "compare":
      return <CompareView place={place} />;
    case "fields":
      return <FieldsView place={place} key={place.dataset} />;
    case "history":
      return <HistoryView place={place} who={who} />;
    default:
      return <Start who={who} />;
  }
}
