"""The trusted time of one process: it never follows a single clock over a large step (I13).

Trusted time advances with monotonic time from the time that was saved. Towards the machine's clock
it moves at most a day for each hour that the process runs, and not at all over more than
`CLOCK_STEP_NS`, unless another clock agrees or an operator confirms the time.
"""

from dataclasses import dataclass

from common import limits


@dataclass(frozen=True, slots=True)
class Evidence:
    """The newest stored time of a partition.

    covered: whether the time is from a manifest older than this process; otherwise it is from
    rows, which this machine's own clock may have stamped.
    """

    time_ns: int
    covered: bool


class TrustedTime:
    """Computes the trusted time from other times. Pure; all in nanoseconds."""

    def __init__(self, saved_ns: int | None, steady_ns: int) -> None:
        """saved_ns: the time saved before this start. steady_ns: the present monotonic time."""
        self._trusted_ns = saved_ns
        self._saved = saved_ns is not None
        self._covered = False
        self._wall_ns = 0
        self._steady_ns = steady_ns
        self._started: tuple[int, int] | None = None  # wall and steady at the first update

    @property
    def is_known(self) -> bool:
        """Whether there is a trusted time yet."""
        return self._trusted_ns is not None

    @property
    def saved_ns(self) -> int | None:
        """The time to save for the next start."""
        return self._trusted_ns

    def begin(self, evidence: Evidence | None, wall_ns: int) -> None:
        """Begin at the newest stored time if no time was saved.

        Called for one partition after the other soon after the start. Manifests take precedence
        over rows. None: the partition has no rows that could expire.
        """
        if self._saved or evidence is None:
            return
        time_ns = min(wall_ns, evidence.time_ns)
        if evidence.covered:
            known_ns = self._trusted_ns if self._covered else None
            self._trusted_ns = max(time_ns, known_ns or 0)
            self._covered = True
        elif self._trusted_ns is None:
            self._trusted_ns = time_ns

    def update(self, wall_ns: int, steady_ns: int, *, agreed: bool, confirmed_ns: int = 0) -> None:
        """Advance the trusted time.

        agreed: another machine's clock agrees with this one.
        confirmed_ns: a time that an operator has confirmed.
        """
        passed_ns = max(0, steady_ns - self._steady_ns)
        self._steady_ns, self._wall_ns = steady_ns, wall_ns
        if self._started is None:
            self._started = (wall_ns, steady_ns)
        if self._trusted_ns is None:
            return
        trusted_ns = self._trusted_ns + passed_ns
        trusted_ns = max(trusted_ns, min(wall_ns, confirmed_ns))
        behind_ns = wall_ns - trusted_ns
        if agreed or -limits.CLOCK_STEP_NS <= behind_ns <= 0:
            trusted_ns = wall_ns
        elif 0 < behind_ns <= limits.CLOCK_STEP_NS:
            trusted_ns += min(behind_ns, passed_ns * (limits.CLOCK_STEP_RATE - 1))
        elif behind_ns < 0:  # later than the clock: at worst too little expires
            trusted_ns -= min(-behind_ns, passed_ns * (limits.CLOCK_STEP_RATE + 1))
        self._trusted_ns = trusted_ns

    @property
    def now_ns(self) -> int:
        """The time by which events may expire: the earlier of the clock's and the trusted time."""
        return self._wall_ns if self._trusted_ns is None else min(self._wall_ns, self._trusted_ns)

    @property
    def ahead_ns(self) -> int:
        """How much later the machine's clock is than the trusted time."""
        return max(0, self._wall_ns - self.now_ns)

    @property
    def leapt_ns(self) -> int:
        """How far the machine's clock was moved while this process ran (forward: positive)."""
        if self._started is None:
            return 0
        wall_ns, steady_ns = self._started
        return (self._wall_ns - wall_ns) - (self._steady_ns - steady_ns)
