"""The bytes of a share: Arrow IPC streams one after another, one per state.

The schema metadata of the first stream (`main`) holds the report as JSON; the metadata of every
stream holds the name of its state.
"""

from dataclasses import dataclass

import msgspec
import pyarrow as pa

from query.share.states.statements import FIRST_HASH_VERSION, hash_version
from query.share.states.version_1 import tagged_states, typed_states
from query.share.view.damaged import DamagedRecords
from query.share.view.rerouted import UndecidedBatch

_REPORT = b"bellwether.report"
_STATE = b"bellwether.state"
CONTENT_TYPE = "application/vnd.apache.arrow.stream"


class PartitionCovered(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one partition that a share includes (I7).

    earlier, relies_on, given_up: as in `DatasetView`.
    undecided: rerouted batches that are left out (see query.share.view.rerouted).
    damaged: the first damaged records that are missing.
    damaged_more: number of the other missing damaged records.
    longer: as in `DatasetView`, of any of the datasets.
    """

    partition: int
    epoch: str
    end_offset: int
    watermark_ns: int
    gaps: tuple[tuple[str, int, int], ...]
    unserved: int
    complete: bool
    reason: str
    earlier: dict[str, int] = {}
    epoch_number: int = 1
    undecided: tuple[UndecidedBatch, ...] = ()
    relies_on: dict[int, tuple[int, int]] = {}
    damaged: tuple[DamagedRecords, ...] = ()
    damaged_more: int = 0
    given_up: int = 0
    longer: bool = False


def same_rows(one: PartitionCovered, totals: PartitionCovered) -> bool:
    """Whether a share that was pinned to the end of the totals has all rows of the totals.

    Another indexer may have computed it, without segments that the first one could read.
    """
    return one.unserved == 0 and (one.epoch_number, one.end_offset, one.gaps) == (
        totals.epoch_number,
        totals.end_offset,
        totals.gaps,
    )


class ShareReport(msgspec.Struct, frozen=True):
    """Coverage of each partition.

    types: by field that the plan names, the letters of its types.
    version: of the states; the first is not written (`query.share.states.version_1`).
    rows, size_bytes: of the live rows and segments in the range that could not be ruled out.
    given_way: stored fields that calculated ones of the plan take the place of.
    """

    covered: list[PartitionCovered]
    types: dict[str, str]
    hash_version: int = FIRST_HASH_VERSION
    version: int = 1
    rows: int = 0
    size_bytes: int = 0
    given_way: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShareAnswer:
    """The report, and the states by name (`query.share.states.computed`).

    size_bytes: of the answer as it was sent; 0 before.
    """

    report: ShareReport
    states: dict[str, pa.Table]
    size_bytes: int = 0


def of_version(answer: ShareAnswer, version: int, breakdowns: int) -> ShareAnswer:
    """The answer as a request of this version expects it. breakdowns: of its plan.

    Raises ValueError if it was computed for a version with other hashes.
    """
    if answer.report.hash_version != hash_version(version):
        raise ValueError(f"the states were not computed for version {version}")
    report = msgspec.structs.replace(answer.report, version=version)
    if version > 1:
        return ShareAnswer(report, answer.states)
    return ShareAnswer(report, tagged_states(answer.states, breakdowns))


def encode_answer(answer: ShareAnswer) -> bytes | bytearray:
    """The answer's streams."""
    size = pa.MockOutputStream()  # counts, so that large states are not copied while a buffer grows
    _write(answer, size)
    data = bytearray(size.size())
    with pa.FixedSizeBufferWriter(pa.py_buffer(data)) as sink:
        _write(answer, sink)
    return data


def _write(answer: ShareAnswer, sink: pa.NativeFile) -> None:
    report = msgspec.json.encode(answer.report)
    for name, table in answer.states.items():
        metadata = {_STATE: name.encode()} | ({_REPORT: report} if name == "main" else {})
        described = table.replace_schema_metadata(metadata)
        with pa.ipc.new_stream(sink, described.schema) as writer:
            writer.write_table(described)


def decode_answer(data: bytes | bytearray) -> ShareAnswer:
    """Read the bytes written by `encode_answer`; states of version 1 become typed columns.

    Raises ValueError.
    """
    source = pa.BufferReader(data)
    report: ShareReport | None = None
    states: dict[str, pa.Table] = {}
    try:
        while source.tell() < len(data):
            with pa.ipc.open_stream(source) as reader:
                metadata = reader.schema.metadata or {}
                states[metadata[_STATE].decode()] = reader.read_all()
            if _REPORT in metadata:
                report = msgspec.json.decode(metadata[_REPORT], type=ShareReport)
    except (pa.ArrowInvalid, KeyError, msgspec.DecodeError, OSError) as error:
        raise ValueError(f"a share's answer cannot be read: {error}") from error
    if report is None or report.hash_version != hash_version(report.version):
        raise ValueError("a share's answer lacks its report or is of another version")
    typed = typed_states(states) if report.version == 1 else states
    return ShareAnswer(report, typed, len(data))
