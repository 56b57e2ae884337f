// The frame of every view: who is logged in, where one is, and the keys that work everywhere.

import { useEffect, useState } from "preact/hooks";
import { linkTo, usePlace, type Place } from "./address";
import { ApiError, call } from "./api/client";
import { Problem } from "./parts/problem";
import { currentSession, type Who } from "./session";
import { FieldsView } from "./views/fields/fields";
import { Login } from "./views/login";
import { QueryView } from "./views/query/query";
import { Start } from "./views/start/start";
import { TracesView } from "./views/traces/find";
import { CompareView } from "./views/traces/two/compare";
import { TraceView } from "./views/traces/one/trace";
import { OpenTrace } from "./views/traces/open_by_id";

export function App() {
  const [who, setWho] = useState<Who | null>();
  const [error, setError] = useState<unknown>(null);
  const begin = () => {
    setError(null);
    currentSession().then(setWho, (reason: unknown) => {
      if (reason instanceof ApiError && reason.status === 401) setWho(null);
      else setError(reason);
    });
  };
  useEffect(begin, []);
  if (error) return <main class="page-main"><Problem error={error} again={begin} /></main>;
  if (who === undefined) return null;
  if (who === null) return <Login onDone={setWho} />;
  return <Frame who={who} onLeave={() => setWho(null)} />;
}

function Frame({ who, onLeave }: { who: Who; onLeave: () => void }) {
  const place = usePlace();
  const leave = () => void call("logOut").then(onLeave);
  return (
    <>
      <a class="hidden" href="#main">To the content</a>
      <header class="page-header">
        <a class="name" {...linkTo({ view: "start" })}>bellwether</a>
        <span class="quiet">{who.environment.name}</span>
        <nav aria-label="views">
          <a {...linkTo({ view: "traces", ask: "" })}>Traces</a>
          <a href="/docs">API</a>
        </nav>
        <span class="grow" />
        <OpenTrace />
        <span class="quiet small">{who.name}</span>
        <button class="small" onClick={leave}>Log out</button>
      </header>
      <main class="page-main" id="main">
        <View place={place} />
      </main>
    </>
  );
}

function View({ place }: { place: Place }) {
  switch (place.view) {
    case "query":
      return <QueryView place={place} key={place.dataset} />;
    case "traces":
      return <TracesView place={place} />;
    case "trace":
      return <TraceView place={place} key={place.id} />;
    case "compare":
      return <CompareView place={place} key={`${place.one} ${place.other}`} />;
    case "fields":
      return <FieldsView place={place} key={place.dataset} />;
    default:
      return <Start />;
  }
}
