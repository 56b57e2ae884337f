"""From the body's lines to the runs of each dataset."""

from collections.abc import Mapping, Sequence

import numpy as np

from common import limits
from common.errors import BadRequest, BellwetherError
from common.scan import fast_json
from common.scan.events import Accepted, EventFault, MalformedBody, Refused, Rule
from common.scan.work_budget import Work
from shepherd.datasets.cache import Resolved
from shepherd.ingest.decoded_events import NO_LINES, Decoded, decoded
from shepherd.ingest.events_by_dataset import Run

_NO_DATASET = BadRequest("the line names no dataset")


def read_lines(body: bytes) -> list[tuple[str, bytes]]:
    """The dataset and the JSON of each line; an empty name where there is no tab."""
    lines = []
    for line in body.splitlines():
        name, tab, data = line.partition(b"\t")
        lines.append((name.decode(errors="replace") if tab else "", data))
    return lines


def decode(
    lines: Sequence[tuple[str, bytes]],
    datasets: Mapping[str, Resolved | BellwetherError],
    arrival_ns: int,
    work: Work,
) -> list[Run]:
    """One run per dataset, in the order in which they are named first."""
    indexes: dict[str, list[int]] = {}
    for index, (name, _) in enumerate(lines):
        indexes.setdefault(name, []).append(index)
    runs = []
    for name, places in indexes.items():
        dataset = datasets.get(name, _NO_DATASET)
        if isinstance(dataset, Resolved):
            depth = dataset.target.depth
            events = decoded([_event(lines[at][1], depth, arrival_ns, work) for at in places])
        else:
            events = Decoded(len(places), NO_LINES)
        runs.append(Run(name, dataset, events, np.array(places, np.int64)))
    return runs


def _event(data: bytes, depth: int, arrival_ns: int, work: Work) -> Accepted | Refused:
    work.spend(1)
    try:
        text, mended = fast_json.check_event(data, depth, work, limits.STRING_BYTES_MAX)
    except EventFault as fault:
        return fault.refused()
    except MalformedBody as error:
        return Refused(Rule.DATA_NOT_AN_OBJECT, str(error))
    return Accepted(arrival_ns, 1, text, mended)
