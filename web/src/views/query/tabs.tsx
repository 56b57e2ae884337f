// What is under the picture: the groups as rows, what differs, or the events themselves.

import { linkTo, type Tab } from "../../address";
import type { Query } from "../../api/types";
import { Differs } from "./differs/differs";
import { Events } from "./events/events";
import type { Range } from "./graphs/answer";
import { useAsks } from "./graphs/asked";
import { zoomed, type QueryPlace } from "./graphs/change";

const NAMES: readonly (readonly [Tab, string])[] = [
  ["results", "Results"],
  ["differs", "What differs"],
  ["events", "Events"],
];

export function Tabs({ place, spec, range, onFault }: Props & { onFault: (reason: unknown) => void }) {
  const shown = place.tab ?? "results";
  const { findTraces } = useAsks(place, onFault);
  const traces = () => findTraces(range ? zoomed(spec, range.start, range.end) : spec);
  return (
    <nav class="tabs" aria-label="Under the graph">
      {NAMES.map(([tab, name]) => (
        <a key={tab} aria-current={tab === shown ? "page" : undefined} {...linkTo({ ...place, tab })}>
          {name}
        </a>
      ))}
      <button onClick={traces}>Traces</button>
      <a {...linkTo({ view: "fields", dataset: place.dataset })}>Fields</a>
    </nav>
  );
}

interface Props {
  place: QueryPlace;
  /** What was asked for the answer that is shown. */
  spec: Query;
  /** The range of that answer, to which the other tabs hold. */
  range: Range | null;
}

export function TabBody(props: Props) {
  switch (props.place.tab) {
    case "differs":
      return <Differs {...props} />;
    case "events":
      return <Events {...props} />;
    default:
      return null;
  }
}
