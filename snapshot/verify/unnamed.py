"""Lists objects that no document names: they are no damage, and take room (I4)."""

from common.objects import ObjectStore
from snapshot.unnamed.names import Names
from snapshot.unnamed.objects import find_unnamed
from snapshot.verify.report import VerifyReport

_HOUR_NS = 3600 * 10**9
_REMEDY = "no answer reads it; `bellwether unnamed --remove` removes it"


def check_unnamed(objects: ObjectStore, report: VerifyReport) -> None:
    """Add what no document names to the report, as warnings if it is old. Blocks.

    Raises ObjectsUnavailable.
    """
    found = find_unnamed(objects, Names(objects))
    report.unnamed, report.unnamed_bytes = found.count, found.size_bytes
    report.unnamed_young = found.count - len(found.old)
    if found.unreadable:
        text = "objects that no document names are not listed: what is named is not known in full"
        report.add(None, text, "`bellwether unnamed` tells why", warning=True)
        report.unnamed = report.unnamed_bytes = report.unnamed_young = 0
        return
    for one in found.old:
        hours = one.age_ns // _HOUR_NS
        text = f"object {one.key} ({one.size_bytes:,} bytes, {hours:,} h older than the newest one)"
        report.add(None, f"{text} is named by no document", _REMEDY, warning=True)
