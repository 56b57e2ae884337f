"""Whether this indexer is ready: it has caught up with every partition that it should hold."""

from indexer.claims.claims import Claims
from indexer.claims.held_partitions import HeldPartitions


class Readiness:
    """The readiness for `/readyz` and the status. `claims` is None until the process listens."""

    def __init__(self, held: HeldPartitions) -> None:
        self._held = held
        self.claims: Claims | None = None

    def not_ready(self) -> str | None:
        """Why this indexer should not get queries yet; None if it is ready."""
        if self._held.shared.watch.rejected:
            return self._held.shared.watch.rejected
        should_hold = None if self.claims is None else self.claims.should_hold()
        if should_hold is None:
            return "it is not known yet which partitions to hold: the locks have not answered"
        reasons = (self._held.not_ready(number) for number in should_hold)
        return next((reason for reason in reasons if reason is not None), None)

    def describe(self) -> dict[str, object]:
        """The claims, for the status."""
        return {} if self.claims is None else self.claims.describe()
