"""Reads `/bw/1/status` into values: roles, and the log and the indexers of each partition.

Also what needs attention, as text with a remedy (`troubles`), and a verdict for programs.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from common.process.alarms.declared import ALARMS

LAG_RECORDS_WARN = 1_000  # seconds of a busy partition
# Alarms for which `troubles` writes a text of its own, with more of what the status has.
_OWN_TEXT = frozenset(
    {"pushes_back", "copies_missing", "partition_stopped", "twins_diverge", "gap"}
)
_LOOK_AT_LOG = "look at its log; `bellwether up` or your supervisor starts it again"
_VERIFY = "run `bellwether verify`, which names each of them"
CUT_OLD_S = 2 * 3600  # a cut happens each hour at the latest while rows arrive


class Verdict(StrEnum):
    """The status in one word, for programs."""

    OK = "ok"
    TROUBLE = "trouble"
    UNKNOWN = "unknown"  # the status could not be read


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that needs attention, and what to do about it."""

    text: str
    remedy: str


@dataclass(frozen=True, slots=True)
class RoleStatus:
    """One running process."""

    role: str
    instance: str
    zone: str
    pid: int
    url: str
    up_s: float


@dataclass(frozen=True, slots=True)
class IndexerStatus:
    """One partition at one indexer. Times are unix ns; None: not known yet.

    divergences: the first difference to the twin of each cut that differs.
    unmended: segments that are damaged and cannot be repaired, each with the reason.
    damaged: number of records that answers lack; one of the alarms reports it.
    given_up: number of records that an operator has counted as lost.
    compaction_due: number of objects that are to be put together from segments.
    compaction_waits_for: why none is made now; empty: they are being made.
    """

    partition: int
    indexer: str
    end_offset: int | None
    lag_records: int
    live_rows: int
    live_bytes: int
    segments: int
    segment_bytes: int
    last_cut_ns: int | None
    watermark_ns: int | None
    set_aside: int
    gaps: int
    stopped_reason: str
    divergences: tuple[str, ...] = ()
    alarms: tuple[Trouble, ...] = ()
    unpublished_cuts: int = 0
    unmended: tuple[str, ...] = ()
    damaged: int = 0
    given_up: int = 0
    compaction_due: int = 0
    compaction_waits_for: str = ""


@dataclass(frozen=True, slots=True)
class SummariesStatus:
    """Summaries of the columns of one indexer's segments.

    held: in memory. made: by this process. waiting, failed, no_room, not_here: segments without one
    in memory, by the reason (see the metric `bellwether_summaries_missing`).
    waits_for: why none is made now; "": they are being made.
    """

    indexer: str
    waits_for: str
    held: int
    made: int
    waiting: int
    failed: int
    no_room: int
    not_here: int


@dataclass(frozen=True, slots=True)
class LogStatus:
    """One partition of the log."""

    partition: int
    start: int
    end: int
    size_bytes: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class AvoidedStatus:
    """A broker or partition to which a shepherd sends nothing for now, and why."""

    shepherd: str
    kind: str
    name: str
    reason: str
    since_ns: int


@dataclass(frozen=True, slots=True)
class Status:
    """The status of all roles at one moment.

    unreachable: (name, error) of roles that did not answer.
    backpressured: (name, reason) of shepherds that push back.
    alarms: of whole processes.
    copies: of each partition: how many are wanted, and how many zones there are.
    locks_error: why the list of roles is not the current one; "": it is.
    locks_age_s: the age of the list of roles; None: there is none.
    summaries: of the indexers that make and hold some.
    """

    roles: tuple[RoleStatus, ...]
    log: tuple[LogStatus, ...]
    indexers: tuple[IndexerStatus, ...]
    unreachable: tuple[tuple[str, str], ...]
    avoided: tuple[AvoidedStatus, ...] = ()
    backpressured: tuple[tuple[str, str], ...] = ()
    alarms: tuple[Trouble, ...] = ()
    copies: tuple[int, int] = (0, 0)
    locks_error: str = ""
    locks_age_s: float | None = 0.0
    summaries: tuple[SummariesStatus, ...] = ()

    @property
    def log_bytes(self) -> int:
        """Bytes of all partitions of the log."""
        return sum(p.size_bytes for p in self.log)


def read_status(document: dict[str, Any], now_ns: int) -> Status:
    """Read the endpoint's JSON document. Raises KeyError, TypeError or ValueError if it is none."""
    roles = tuple(
        RoleStatus(
            r["role"], r["instance"], r["zone"], int(r["pid"]), r["url"],
            max(0.0, (now_ns - int(r["started_ns"])) / 1e9),
        )
        for r in document["roles"]
    )  # fmt: skip
    log = tuple(
        LogStatus(int(p["partition"]), int(p["start"]), int(p["end"]), int(p["size_bytes"]),
                  str(p.get("error") or ""))
        for p in document["log"]
    )  # fmt: skip
    indexers = []
    unreachable = []
    alarms: list[Trouble] = []
    copies = (0, 0)
    summaries: list[SummariesStatus] = []
    for item in document["indexers"]:
        if "error" in item:
            unreachable.append((str(item["indexer"]), str(item["error"])))
            continue
        alarms += _process_alarms(str(item["indexer"]), item["status"])
        summaries += _summaries(str(item["indexer"]), item["status"].get("summaries") or {})
        claims = item["status"].get("claims") or {}
        if claims.get("copies"):
            copies = max(copies, (int(claims["copies_wanted"]), int(claims["copies"])))
        for number, status in item["status"]["partitions"].items():
            indexers.append(_indexer(int(number), str(item["indexer"]), status))
    indexers.sort(key=lambda i: (i.partition, i.indexer))
    avoided: list[AvoidedStatus] = []
    backpressured = []
    for item in document.get("shepherds", ()):
        name = str(item["shepherd"])
        if "error" in item:
            unreachable.append((name, str(item["error"])))
            continue
        alarms += _process_alarms(name, item["placement"])
        avoided += _avoided(name, item["placement"])
        if item["placement"]["pressure"]:
            backpressured.append((name, str(item["placement"]["pressure"])))
    return Status(
        roles, log, tuple(indexers), tuple(unreachable), tuple(avoided), tuple(backpressured),
        tuple(alarms), copies, *_locks(document.get("locks") or {}), tuple(summaries),
    )  # fmt: skip


def _summaries(indexer: str, status: dict[str, Any]) -> list[SummariesStatus]:
    if not status.get("on"):
        return []
    counts = ("held", "made", "waiting", "failed", "no_room", "not_here")
    numbers = (int(status.get(name) or 0) for name in counts)
    return [SummariesStatus(indexer, str(status.get("waits_for") or ""), *numbers)]


def _locks(document: dict[str, Any]) -> tuple[str, float | None]:
    error, age_s = str(document.get("error") or ""), document.get("age_s")
    return error, (None if error and age_s is None else float(age_s or 0))


def _process_alarms(process: str, status: dict[str, Any]) -> list[Trouble]:
    """Alarms of the whole process; those of a partition are listed with it."""
    return [
        Trouble(f"{process}: {alarm['text']}", str(alarm["remedy"]))
        for alarm in status.get("alarms", ())
        if alarm["partition"] is None and alarm["alarm"] not in _OWN_TEXT
    ]


def _avoided(shepherd: str, placement: dict[str, Any]) -> list[AvoidedStatus]:
    return [
        AvoidedStatus(shepherd, kind, str(one[kind]), str(one["reason"]), int(one["since_ns"]))
        for kind, several in (("broker", "brokers"), ("partition", "partitions"))
        for one in placement[several]
        if one["state"] == "avoided"
    ]


def _indexer(partition: int, indexer: str, status: dict[str, Any]) -> IndexerStatus:
    cut = status.get("last_cut")
    return IndexerStatus(
        partition=partition,
        indexer=indexer,
        end_offset=status.get("end_offset"),
        lag_records=int(status.get("lag_records") or 0),
        live_rows=int(status.get("live_rows") or 0),
        live_bytes=int(status.get("live_bytes") or 0),
        segments=int(status.get("segments") or 0),
        segment_bytes=int(status.get("segment_bytes") or 0),
        last_cut_ns=None if cut is None else int(cut["time_ns"]),
        watermark_ns=status.get("watermark_ns"),
        set_aside=int(status.get("set_aside") or 0),
        gaps=len(status.get("gaps") or ()),
        stopped_reason=str(status.get("stopped_reason") or ""),
        alarms=tuple(
            Trouble(str(text), ALARMS[name].remedy if name in ALARMS else "see docs/alarms.md")
            for name, text in (status.get("alarms") or {}).items()
            if name not in _OWN_TEXT
        ),
        unpublished_cuts=int((status.get("unpublished") or {}).get("cuts") or 0),
        unmended=tuple(f"{n}: {why}" for n, why in (status.get("unmended") or {}).items()),
        damaged=int((status.get("damaged") or {}).get("records") or 0),
        given_up=int((status.get("given_up") or {}).get("records") or 0),
        compaction_due=int((status.get("compaction") or {}).get("due") or 0),
        compaction_waits_for=str((status.get("compaction") or {}).get("waits_for") or ""),
        divergences=tuple(f"{d['ours']}: {d['block']}" for d in status.get("divergences") or ()),
    )


def notes(status: Status) -> list[str]:
    """What is settled, or waits, and needs no action."""
    given_up: dict[int, int] = {}
    for i in status.indexers:
        given_up[i.partition] = max(i.given_up, given_up.get(i.partition, 0))
    found = [
        f"partition {partition}: {count:,} damaged records were given up by an operator"
        for partition, count in sorted(given_up.items())
        if count
    ]
    found += [
        f"{one.indexer}: {one.waiting:,} segments have no summary yet; this waits for: "
        f"{one.waits_for}"
        for one in status.summaries
        if one.waiting and one.waits_for
    ]
    found += [
        f"{one.indexer}: no summary could be made of {one.failed:,} segments; its log says why, "
        "and questions read them"
        for one in status.summaries
        if one.failed
    ]
    return found + [
        f"{i.indexer} partition {i.partition}: {i.compaction_due:,} objects are to be put together "
        f"from small segments; this waits for: {i.compaction_waits_for}"
        for i in status.indexers
        if i.compaction_due and i.compaction_waits_for
    ]


def judge(status: Status, now_ns: int) -> Verdict:
    """The status in one word."""
    if status.locks_age_s is None:
        return Verdict.UNKNOWN
    return Verdict.TROUBLE if troubles(status, now_ns) else Verdict.OK


def troubles(status: Status, now_ns: int) -> list[Trouble]:
    """What needs attention, most urgent first."""
    found = [
        Trouble(
            f"{i.indexer} partition {i.partition} has stopped: {i.stopped_reason}",
            "upgrade it if the record is newer than the program; docs/operating.md has the others",
        )
        for i in status.indexers
        if i.stopped_reason
    ]
    found += _of_locks(status)
    found += [Trouble(f"{name} does not answer: {why}", _LOOK_AT_LOG)
              for name, why in status.unreachable]  # fmt: skip
    found += [Trouble(f"{name} pushes back: {why}",
                      "look at the brokers together: disk, copies in sync, controller")
              for name, why in status.backpressured]  # fmt: skip
    found += status.alarms
    for a in status.avoided:
        since_s = max(0, now_ns - a.since_ns) // 10**9
        found.append(
            Trouble(
                f"{a.shepherd} avoids {a.kind} {a.name} since {since_s} s: {a.reason}",
                "look at that broker and its network; it is used again by itself",
            )
        )
    found += [Trouble(f"partition {p.partition} of the log does not answer: {p.error}",
                      "look at the log's disk, or at the broker that leads it")
              for p in status.log if p.error]  # fmt: skip
    found += _missing(status)
    for i in status.indexers:
        found += _of_partition(i, now_ns)
    return found


def _of_locks(status: Status) -> list[Trouble]:
    if not status.locks_error:
        return []
    remedy = "mend the locks (ZooKeeper); `bellwether doctor` asks each of its members"
    if status.locks_age_s is None:
        what = "which roles run is not known: the locks do not answer"
        return [Trouble(f"{what} ({status.locks_error})", remedy)]
    what = f"the locks do not answer; roles are shown as they were {status.locks_age_s:.0f} s ago"
    return [Trouble(f"{what} ({status.locks_error})", remedy)]


def _missing(status: Status) -> list[Trouble]:
    """Roles and copies that are missing; empty while it is not known which roles run."""
    if status.locks_age_s is None:
        return []
    held = {i.partition for i in status.indexers}
    found = [Trouble(f"no indexer holds partition {p.partition}", "start an indexer; its log says "
                     "why if it runs") for p in status.log if p.partition not in held]  # fmt: skip
    wanted, possible = status.copies
    if possible < wanted:
        found.append(
            Trouble(
                f"each partition has {possible} of {wanted} copies: indexers run in {possible} "
                "zones",
                "start one in another zone, or set indexer.copies",
            )
        )
    for role in ("shepherd", "query"):
        if not any(r.role == role for r in status.roles):
            found.append(Trouble(f"no {role} is running", f"start one: `bellwether {role}`"))
    return found


def _of_partition(i: IndexerStatus, now_ns: int) -> list[Trouble]:
    where = f"{i.indexer} partition {i.partition}"
    found = []
    if i.lag_records > LAG_RECORDS_WARN:
        text = f"{where} is {i.lag_records:,} records behind"
        found.append(Trouble(text, "wait if it just started; else it needs more CPU or memory"))
    found += [Trouble(f"{where}: {alarm.text}", alarm.remedy) for alarm in i.alarms]
    if i.divergences:
        found.append(
            Trouble(
                f"{where}: twins disagree about {len(i.divergences)} cuts, at last "
                f"{i.divergences[-1]}",
                f"both versions are kept; {_VERIFY}",
            )
        )
    if i.unmended:
        found.append(
            Trouble(
                f"{where}: {len(i.unmended)} segments are damaged and cannot be mended, at last "
                f"{i.unmended[-1]}",
                _VERIFY,
            )
        )
    if i.gaps:
        text = f"{where} has {i.gaps} gaps: events lost from the log before indexing"
        found.append(Trouble(text, "answers say so; find out who or what removed log files"))
    if i.live_rows and i.last_cut_ns and now_ns - i.last_cut_ns > CUT_OLD_S * 10**9:
        text = f"{where} has not cut for {(now_ns - i.last_cut_ns) // 60_000_000_000} min"
        found.append(Trouble(text, "look at the object store and at the indexer's log"))
    return found
