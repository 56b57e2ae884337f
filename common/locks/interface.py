"""Named claims that end with their holder's process. Calls block briefly.

A claim only saves work: no correctness depends on it (design, section 8). Names in use:

- `roles/<role>/<instance>`: value: JSON of `common.process.members.Member`.
- `claims/<zone>/<partition>`: value: JSON of the holder's Member.
- `claims/<zone>/<partition>.next`: held by the indexer that prepares to take that claim over.
- `operations/<what>`: one operator at a time.
- `up`: one supervisor per data folder.
"""

from typing import Protocol


class Claim(Protocol):
    """A claim that is held.

    fence: increases with every holder of the name.
    """

    name: str
    fence: int

    def update(self, value: bytes) -> None:
        """Change the published value."""

    def held(self) -> bool:
        """Whether the claim is, as far as can be known now, still ours."""

    def release(self) -> None:
        """Release the claim. Releasing twice is harmless."""


class Locks(Protocol):
    """Raises Unavailable when the lock service cannot be used now."""

    def acquire(self, name: str, value: bytes) -> Claim | None:
        """Claim the name and publish `value`; None if another holder has it."""

    def holders(self, prefix: str) -> dict[str, bytes]:
        """Names under the prefix that are held now, and the values their holders published."""

    def close(self) -> None:
        """Release every claim of this process."""
