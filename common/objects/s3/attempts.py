"""Retries of calls: with jitter, within a time and a budget, and by the outcome of each attempt.

A process may repeat only a share of its calls (`RetryBudget`), so an overloaded store does not get
several times the load. Callers try again later anyway.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from common.back_off import BackOff
from common.clock import Clock
from common.errors import ObjectsUnavailable

T = TypeVar("T")
ERRORS: Final = (ClientError, BotoCoreError, HTTPError, OSError)
_WAIT_FIRST_S = 0.1
_WAIT_MAX_S = 3.0
_SAVED_MAX = 10.0  # retries that a quiet process has saved up
_SAVED_PER_SUCCESS = 0.1


class Outcome(StrEnum):
    """The outcome of a call that ended with an error."""

    MISSING = "missing"  # there is no such object
    EXISTS = "exists"  # the condition did not hold
    TRANSIENT = "transient"  # certainly not executed; another attempt may succeed
    UNKNOWN = "unknown"  # possibly executed; another attempt may succeed
    PERMANENT = "permanent"  # not executed, and another attempt would fail as well


_TRANSIENT_CODES = frozenset({"BadDigest", "XAmzContentSHA256Mismatch"})
_MISSING_CODES = frozenset({"NoSuchKey", "404", "NotFound"})


def outcome_of(error: BaseException) -> Outcome:
    """The outcome of the call that raised this error of the client library."""
    if not isinstance(error, ClientError):
        # the errors do not show reliably that no connection was made: a put may have landed
        return Outcome.UNKNOWN
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _MISSING_CODES:
        return Outcome.MISSING
    if status == 412:
        return Outcome.EXISTS
    if code in _TRANSIENT_CODES or status == 409:  # another write was running, ours was not done
        return Outcome.TRANSIENT
    if status >= 500 or status in (0, 408, 429) or code == "RequestTimeout":
        return Outcome.UNKNOWN
    return Outcome.PERMANENT


def unavailable(error: BaseException, where: str) -> ObjectsUnavailable:
    """The error for callers; the library's texts have addresses and keys, never a secret."""
    text = f"objects at {where}: {error}"
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code == "RequestTimeTooSkewed":
            text += "; set this machine's clock, and keep it with NTP"
        elif code in ("InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "403"):
            text += "; check [s3] access_key and secret_key and what they may do"
        elif code == "NoSuchBucket":
            text += "; `bellwether init` creates it"
    return ObjectsUnavailable(text, retry_after_s=5)


class RetryBudget:
    """Limits retries to a share of the calls: each success adds a tenth of a retry."""

    def __init__(self) -> None:
        self._saved = _SAVED_MAX
        self._lock = threading.Lock()

    def succeeded(self) -> None:
        """Record a call that was answered."""
        with self._lock:
            self._saved = min(_SAVED_MAX, self._saved + _SAVED_PER_SUCCESS)

    def spend(self) -> bool:
        """Take one retry from the budget; False if it is spent."""
        with self._lock:
            if self._saved < 1:
                return False
            self._saved -= 1
            return True


@dataclass(frozen=True, slots=True)
class Attempts:
    """How calls to one store are repeated.

    budget_ms: time after which no attempt begins.
    where: the store's name in errors.
    """

    clock: Clock
    rng: random.Random
    budget: RetryBudget
    budget_ms: int
    where: str
    sleep: Callable[[float], None] = time.sleep

    def run(self, work: Callable[[bool], T]) -> T:
        """Call `work` until it is answered; its argument: an earlier attempt may have landed.

        Raises ClientError for what is missing or exists, ObjectsUnavailable for everything else.
        """
        begin_ns = self.clock.monotonic_ns()
        back_off = BackOff(_WAIT_FIRST_S, _WAIT_MAX_S, jitter=(0.5, 1.5), rng=self.rng)
        landed = False
        while True:
            try:
                answer = work(landed)
            except ERRORS as error:
                found = outcome_of(error)
                if found in (Outcome.MISSING, Outcome.EXISTS):
                    self.budget.succeeded()
                    raise
                landed = landed or found is Outcome.UNKNOWN
                pause_s = back_off.next()
                used_ms = (self.clock.monotonic_ns() - begin_ns) / 1e6
                late = used_ms + pause_s * 1000 >= self.budget_ms
                if found is Outcome.PERMANENT or late or not self.budget.spend():
                    raise unavailable(error, self.where) from error
                self.sleep(pause_s)
            else:
                self.budget.succeeded()
                return answer
