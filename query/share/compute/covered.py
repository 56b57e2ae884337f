"""What a share covers of a partition, and in one sentence why it is not everything (I7)."""

from common import limits
from query.plan.plan import Plan
from query.share.compute.answer import PartitionCovered
from query.share.view.damaged import reason_of
from query.share.view.view import DatasetView


def covered(view: DatasetView, plan: Plan) -> PartitionCovered:
    """The rows of one partition that the share includes (I7)."""
    needed = plan.at_least.get(view.partition, 0)
    other_log = bool(needed) and plan.log not in ("", view.epoch)
    reached = view.end_offset >= needed and not other_log
    unlisted = max(0, len(view.undecided) - limits.UNDECIDED_LISTED_MAX)
    damaged = view.damaged[: limits.DAMAGE_ANSWERED_MAX]
    more = sum(one.end - one.first for one in view.damaged[limits.DAMAGE_ANSWERED_MAX :])
    whole = not (view.gaps or view.unserved or view.catching_up or view.stopped or unlisted)
    expired_early = view.expired_early != 0
    whole = whole and not damaged and not expired_early
    reason = ""
    if other_log:
        reason = f"the log is {view.epoch}, an offset of {plan.log} was asked for"
    elif not reached:
        reason = f"indexed up to offset {view.end_offset}, {needed} was asked for"
    elif view.stopped:
        reason = f"indexing has stopped: {view.stopped}"
    elif view.unserved:
        reason = f"{len(view.unserved)} segments cannot be served now"
    elif view.gaps:
        reason = "records were lost before they were indexed"
    elif damaged:
        reason = reason_of(damaged, more)
    elif expired_early:
        events = "events" if view.expired_early is None else f"{view.expired_early:,} events"
        reason = f"{events} expired before their time: bellwether retention restore"
    elif view.catching_up:
        reason = "the indexer is still catching up with the log"
    elif unlisted:
        reason = f"{unlisted} rerouted batches wait for a decision and are left out"
    return PartitionCovered(
        partition=view.partition,
        epoch=view.epoch,
        end_offset=min(view.end_offset, plan.upto.get(view.partition, view.end_offset)),
        watermark_ns=view.watermark_ns,
        gaps=view.gaps,
        unserved=len(view.unserved),
        complete=reached and whole,
        reason=reason,
        earlier=dict(view.earlier),
        epoch_number=view.epoch_number,
        undecided=view.undecided[: limits.UNDECIDED_LISTED_MAX],
        relies_on={p: (at.epoch, at.offset) for p, at in view.relies_on.items()},
        damaged=damaged,
        damaged_more=more,
        given_up=view.given_up,
        longer=view.longer,
    )
