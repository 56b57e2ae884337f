"""How often, and after how long, the parts of a partition try again; tests pass smaller values."""

from dataclasses import dataclass

from snapshot.bootstrap.bootstrap import SET_BACK_PAUSE_S
from snapshot.publish import CHECKPOINT_EVERY


@dataclass(frozen=True, slots=True)
class Timing:
    """Waits in seconds.

    resume_first_s, resume_most_s: before a partition that failed is resumed.
    set_back_pause_s: between two checks of a log that ends before what a manifest covers.
    paused_s: between looks whether there is room for live rows again.
    seal_first_s, seal_most_s: before a cut that could not be sealed or published is tried again.
    checkpoint_every: manifests after which a checkpoint is published.
    """

    resume_first_s: float = 0.5
    resume_most_s: float = 15.0
    set_back_pause_s: float = SET_BACK_PAUSE_S
    paused_s: float = 0.05
    seal_first_s: float = 0.2
    seal_most_s: float = 10.0
    checkpoint_every: int = CHECKPOINT_EVERY


TIMING = Timing()
