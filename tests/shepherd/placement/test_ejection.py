"""A broker or partition that is avoided is tried again, and trusted when it answers well."""

from shepherd.placement.ejection import Ejection
from tests.shepherd.placement.virtual import SECOND


def test_probe_whose_end_nobody_tells_is_sent_again() -> None:
    """Its partition got another leader on the way, so that it told of that one."""
    probation = Ejection("why", 0, "b", 0)
    assert probation.due(SECOND)
    probation.sent(SECOND)
    assert not probation.due(10 * SECOND)
    assert probation.due(30 * SECOND)
