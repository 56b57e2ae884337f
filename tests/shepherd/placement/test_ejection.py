"""A broker or partition that is avoided is tried again, and trusted when it answers well."""

from shepherd.placement.ejection import Ejection
from tests.shepherd.placement.virtual import SECOND


def test_probe_whose_end_nobody_tells_is_sent_again() -> None:
    """Its partition got another leader on the way, so that it told of that one."""
    ejection = Ejection("why", 0, "b", 0)
    assert ejection.due(SECOND)
    ejection.sent(SECOND)
    assert not ejection.due(10 * SECOND)
    assert ejection.due(30 * SECOND)
