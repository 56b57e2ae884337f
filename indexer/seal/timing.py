"""Waits between retries of a partition's parts; tests pass smaller values."""

from dataclasses import dataclass

from snapshot.bootstrap.bootstrap import SET_BACK_PAUSE_S
from snapshot.publish import CHECKPOINT_EVERY


@dataclass(frozen=True, slots=True)
class Timing:
    """Waits in seconds.

    resume_first_s: first wait before a failed partition is resumed.
    resume_most_s: longest such wait.
    set_back_pause_s: wait between two checks of a log that ends before the end of a manifest.
    paused_s: wait between checks whether live rows have room again.
    seal_first_s: first wait before a failed cut is sealed or published again.
    seal_most_s: longest such wait.
    checkpoint_every: manifests between two checkpoints.
    """

    resume_first_s: float = 0.5
    resume_most_s: float = 15.0
    set_back_pause_s: float = SET_BACK_PAUSE_S
    paused_s: float = 0.05
    seal_first_s: float = 0.2
    seal_most_s: float = 10.0
    checkpoint_every: int = CHECKPOINT_EVERY


TIMING = Timing()
