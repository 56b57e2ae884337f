"""A log made anew under a running shepherd is used again soon."""

from tests.shepherd.placement.test_placement import RATE_PER_S, House
from tests.shepherd.placement.virtual import run_virtual


def test_log_that_was_made_anew_is_looked_at_soon_and_used_again() -> None:
    house = House()

    async def script(house: House) -> None:
        await house.load(31)
        house.log.made_anew = True
        await house.load(2.5)
        house.failures.clear()
        await house.load(5)

    run_virtual(house.run(script))
    assert not house.failures
    assert len(house.acked) >= 36 * RATE_PER_S
