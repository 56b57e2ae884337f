// Every state of the page is an address: what is shown is read from it, and going back is the
// browser's back button.

import { useEffect, useState } from "preact/hooks";

const TABS = ["results", "differs", "events"] as const;
export type Tab = (typeof TABS)[number];

export type Place =
  | { view: "start" }
  | {
      view: "query";
      dataset: string;
      /** The question as text. */
      ask: string;
      /** The result that is shown, so that a link shows the same answer to others. */
      result?: string;
      tab?: Tab;
      /** How lines are drawn, if not as lines: stacked or bar. */
      form?: string;
      /** "1": numbers of lines stand on an axis whose steps are factors. */
      log?: string;
      /** The calculation whose graph stands alone, large. */
      graph?: string;
      /** Fields that the events show, as a JSON list: names may hold anything. */
      columns?: string;
      /** A selection whose difference is shown, as JSON. */
      selection?: string;
      /** Whether new events are followed: "1". */
      follow?: string;
      /** By which column rows are sorted: `-NAME` largest first, `+NAME` smallest first. */
      sort?: string;
      /** The page of the events: the cursors that led to it, the last one its own (parts/use_pages.ts). */
      page?: string;
      /** The event that is shown whole: its time, and which one of that time (events/open_event.ts). */
      event?: string;
    }
  | {
      view: "traces";
      ask: string;
      order?: "newest" | "slowest" | "spans";
      /** The dataset whose events count; all of the environment without one. */
      dataset?: string;
    }
  | { view: "trace"; id: string; span?: string; ask?: string }
  | { view: "compare"; one: string; other: string }
  | { view: "fields"; dataset: string; search?: string }
  | {
      view: "history";
      search?: string;
      /** Only questions to it. */
      dataset?: string;
      /** Whether those of all keys are shown: "1". */
      everyone?: string;
    };

const BASE = "/ui/";

/** The address of a place. */
export function urlOf(place: Place): string {
  const given = new URLSearchParams();
  const add = (name: string, value: string | undefined) => {
    if (value) given.set(name, value);
  };
  let path = "";
  switch (place.view) {
    case "start":
      break;
    case "query":
      path = `query/${encodeURIComponent(place.dataset)}`;
      add("ask", place.ask);
      add("result", place.result);
      add("tab", place.tab === "results" ? undefined : place.tab);
      add("form", place.form);
      add("log", place.log);
      add("graph", place.graph);
      add("columns", place.columns);
      add("selection", place.selection);
      add("follow", place.follow);
      add("sort", place.sort);
      add("page", place.page);
      add("event", place.event);
      break;
    case "traces":
      path = "traces";
      add("ask", place.ask);
      add("order", place.order === "newest" ? undefined : place.order);
      add("dataset", place.dataset);
      break;
    case "trace":
      path = `trace/${encodeURIComponent(place.id)}`;
      add("span", place.span);
      add("ask", place.ask);
      break;
    case "compare":
      path = `compare/${encodeURIComponent(place.one)}/${encodeURIComponent(place.other)}`;
      break;
    case "fields":
      path = `fields/${encodeURIComponent(place.dataset)}`;
      add("search", place.search);
      break;
    case "history":
      path = "history";
      add("search", place.search);
      add("dataset", place.dataset);
      add("everyone", place.everyone);
      break;
  }
  const text = given.toString();
  return BASE + path + (text ? `?${text}` : "");
}

/** The place of an address; the start for one that is none. */
export function placeOf(url: URL): Place {
  const [view = "", first = "", second = ""] = url.pathname
    .slice(BASE.length)
    .split("/")
    .map(decoded);
  const given = (name: string) => url.searchParams.get(name) ?? undefined;
  const kept = <T extends object>(some: T) =>
    Object.fromEntries(Object.entries(some).filter(([, value]) => value !== undefined)) as T;
  if (view === "query" && first) {
    const tab = TABS.find((one) => one === given("tab"));
    return kept({
      view: "query" as const,
      dataset: first,
      ask: given("ask") ?? "",
      result: given("result"),
      tab,
      form: given("form"),
      log: given("log"),
      graph: given("graph"),
      columns: given("columns"),
      selection: given("selection"),
      follow: given("follow"),
      sort: given("sort"),
      page: given("page"),
      event: given("event"),
    }) as Place;
  }
  if (view === "traces") {
    const order = given("order");
    const known = order === "slowest" || order === "spans" ? { order } : {};
    return kept({ view: "traces" as const, ask: given("ask") ?? "", dataset: given("dataset"), ...known }) as Place;
  }
  if (view === "trace" && first) {
    return kept({ view: "trace" as const, id: first, span: given("span"), ask: given("ask") }) as Place;
  }
  if (view === "compare" && first && second) return { view: "compare", one: first, other: second };
  if (view === "fields" && first) {
    return kept({ view: "fields" as const, dataset: first, search: given("search") }) as Place;
  }
  if (view === "history") {
    const [search, dataset, everyone] = ["search", "dataset", "everyone"].map(given);
    return kept({ view: "history" as const, search, dataset, everyone }) as Place;
  }
  return { view: "start" };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const listeners = new Set<() => void>();

/** Show a place. replace: without a step for the back button, as while one types. */
export function go(place: Place, { replace = false } = {}): void {
  const url = urlOf(place);
  if (url === location.pathname + location.search) return;
  if (replace) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
  for (const listener of listeners) listener();
}

/** The place that is shown now. */
export function usePlace(): Place {
  const [place, setPlace] = useState(() => placeOf(new URL(location.href)));
  useEffect(() => {
    const update = () => setPlace(placeOf(new URL(location.href)));
    listeners.add(update);
    addEventListener("popstate", update);
    return () => {
      listeners.delete(update);
      removeEventListener("popstate", update);
    };
  }, []);
  return place;
}

/** For links: a click goes there in the page, with a modifier the browser opens a tab. */
export function linkTo(place: Place) {
  return {
    href: urlOf(place),
    onClick(event: MouseEvent) {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
      event.preventDefault();
      go(place);
    },
  };
}
