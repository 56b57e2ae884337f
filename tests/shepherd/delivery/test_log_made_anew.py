"""A log made anew under a running shepherd is used again soon."""

from tests.shepherd.placement.harness import RATE_PER_S, Harness
from tests.shepherd.placement.virtual import run_virtual


def test_log_that_was_made_anew_is_looked_at_soon_and_used_again() -> None:
    harness = Harness()

    async def script(harness: Harness) -> None:
        await harness.load(31)
        harness.log.made_anew = True
        await harness.load(2.5)
        harness.failures.clear()
        await harness.load(5)

    run_virtual(harness.run(script))
    assert not harness.failures
    assert len(harness.acked) >= 36 * RATE_PER_S
