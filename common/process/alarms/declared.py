"""Every alarm, declared once: what it means, what to do, and how urgent it is.

Status, logs, documentation, the rules for Prometheus and the posts to `alarms.url` all take their
texts from here. An alarm is raised by code on an `AlarmBoard` and is
then 1 in the metric `bellwether_alarm`; one with an `expression` is evaluated by Prometheus alone.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Severity(StrEnum):
    """page: data is or will soon be lost or refused; ticket: it can wait for the morning."""

    PAGE = "page"
    TICKET = "ticket"


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm.

    name: lower case with underscores, never changed (rules and receivers name it).
    meaning: what is wrong, a sentence that needs no context.
    remedy: what to do, with the command where there is one.
    expression: PromQL, only for conditions that no process can detect in itself.
    for_s: seconds that Prometheus waits before it passes the alarm on.
    """

    name: str
    severity: Severity
    meaning: str
    remedy: str
    expression: str = ""
    for_s: int = 0


_DECLARED = (
    Alarm(
        "snapshot_late",
        Severity.PAGE,
        "Events are in no snapshot for longer than indexer.snapshot_late_s; they are in the log "
        "and served.",
        "Look at the object store and at this indexer's log.",
    ),
    Alarm(
        "log_retention_near",
        Severity.PAGE,
        "The log soon drops events that are in no snapshot.",
        "Make snapshots work again, or raise the topic's retention.ms now.",
    ),
    Alarm(
        "log_growing",
        Severity.PAGE,
        "The log grows because nothing is published: when the disk is full, events are refused.",
        "Look at the object store; free disk space.",
    ),
    Alarm(
        "disk_of_cuts_full",
        Severity.PAGE,
        "Cuts that the object store has not taken fill indexer.unpublished_bytes_max: reading "
        "pauses and the log keeps what comes.",
        "Look at the object store.",
    ),
    Alarm(
        "disk_full",
        Severity.PAGE,
        "The disk of the data folder is full or cannot be written: events are refused with 503; "
        "what is stored is served.",
        "Free or add disk space, or make it writable: events are taken again by itself.",
    ),
    Alarm(
        "clock_disagrees",
        Severity.PAGE,
        "Clocks of this machine and of others differ by more than five minutes: nothing expires.",
        "Set the one that is wrong, and keep all with NTP.",
    ),
    Alarm(
        "clock_leapt",
        Severity.PAGE,
        "This machine's clock was moved by more than two days while an indexer ran.",
        "Set it right, and keep it with NTP; nothing expires on its word alone.",
    ),
    Alarm(
        "retention_waits",
        Severity.TICKET,
        "Events would expire by this machine's clock, in a step that nothing else confirms.",
        "`bellwether retention` shows them; if clock and retention are right: `bellwether "
        "retention confirm`.",
    ),
    Alarm(
        "retention_unreadable",
        Severity.TICKET,
        "A retention document cannot be read: nothing is deleted.",
        "Restore it from a backup, or restart an indexer that has a copy.",
    ),
    Alarm(
        "expired_too_early",
        Severity.PAGE,
        "Events expired before their time, because a clock was wrong; answers over them are "
        "incomplete.",
        "`bellwether retention`, then `bellwether retention restore` before they are deleted.",
    ),
    Alarm(
        "log_time_ahead",
        Severity.TICKET,
        "The log's time is ahead of an indexer's clock: some clock is or was wrong.",
        "Set the clocks right (NTP); it then gets well by itself, or says what it waits for: see "
        "'Clocks that were wrong' in docs/operating.md.",
    ),
    Alarm(
        "partition_stopped",
        Severity.PAGE,
        "A partition is served but not indexed any further.",
        "`bellwether status` says why; most often a newer program wrote to the log: upgrade.",
    ),
    Alarm(
        "twins_diverge",
        Severity.PAGE,
        "Twins made different segments of the same log; both versions are kept.",
        "Run `bellwether verify` and report it.",
    ),
    Alarm(
        "gap",
        Severity.PAGE,
        "The log no longer had records that were not indexed yet: their events are missing, and "
        "answers say so.",
        "`bellwether status --json` names the offsets; find out who changed the log.",
    ),
    Alarm(
        "damaged_records",
        Severity.PAGE,
        "Records of the log cannot be read: their events are missing, and answers say so.",
        "`bellwether damage` lists them and says what can be done.",
    ),
    Alarm(
        "cut_held",
        Severity.TICKET,
        "A cut is not published yet, for records in it are damaged and may be whole elsewhere.",
        "Restore the log's file or start the other indexer; else it is published without them.",
    ),
    Alarm(
        "compaction_unproved",
        Severity.TICKET,
        "Small segments were put together wrongly: the object is not used, their own objects are "
        "read as before, and nothing of that dataset is put together until the indexer restarts.",
        "Report this bug with the indexer's log; `bellwether verify` shows that all is there.",
    ),
    Alarm(
        "compaction_unreadable",
        Severity.PAGE,
        "A compaction document cannot be read: nothing of its partition is put together or deleted "
        "for that, and answers are incomplete where the segments that it replaced are deleted.",
        "Restore it from a backup, then restart the partition's indexers; one that has a copy "
        "restores it when it starts.",
    ),
    Alarm(
        "copies_missing",
        Severity.TICKET,
        "Partitions are indexed in fewer zones than indexer.copies wants.",
        "Start an indexer in another zone, or set indexer.copies.",
    ),
    Alarm(
        "pushes_back",
        Severity.PAGE,
        "A shepherd refuses or delays events because the log is slow or stuck.",
        "Look at the brokers together: disk, copies in sync, controller; on one machine the disk.",
    ),
    Alarm(
        "metadata_replaced",
        Severity.PAGE,
        "The metadata has lost keys that it knew: it is empty or another one.",
        "Stop the roles, then `bellwether metadata restore`.",
    ),
    Alarm(
        "connections_refused",
        Severity.PAGE,
        "A shepherd refused connections in the last five minutes: as many are open as may be.",
        "Raise the limit of open files (`ulimit -n`) or the setting that the text names; find out "
        "which clients hold so many.",
    ),
    Alarm(
        "role_down",
        Severity.PAGE,
        "A role does not answer Prometheus.",
        "`bellwether status`; its last words are in its log.",
        expression='up{job="bellwether"} == 0',
        for_s=60,
    ),
    Alarm(
        "indexing_behind",
        Severity.TICKET,
        "A partition is so far behind that answers lack recent events.",
        "`bellwether status`: an indexer that is too slow, or paused for memory or disk.",
        expression="max by (instance, partition) (bellwether_lag_records) > 10000",
        for_s=300,
    ),
    Alarm(
        "metadata_export_fails",
        Severity.TICKET,
        "The hourly export of the metadata fails.",
        "Look at the object store and the indexers' logs for `export`.",
        expression="increase(bellwether_metadata_export_failures_total[3h]) > 2",
    ),
    Alarm(
        "partition_fails",
        Severity.TICKET,
        "An indexer resumes a partition again and again after failures.",
        "The indexer's log says why at each one.",
        expression="increase(bellwether_partition_failures_total[10m]) > 5",
    ),
)
ALARMS: Final = {alarm.name: alarm for alarm in _DECLARED}
