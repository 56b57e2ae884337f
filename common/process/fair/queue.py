"""The order in which slots are granted: fair between environments, then between their keys.

Plain and synchronous: the caller starts and stops the work (`common.process.fair.slots` for
asyncio). Keeps I11 (everything is bounded) and I14 (no client starves another):

- A free slot goes to the waiting environment that uses the fewest slots; of several, to the one
  that waits longest for its turn. Within an environment the same rule chooses the key; the work
  of one key runs in the order in which it came.
- An environment alone may use every slot but `kept_free`; those go only to environments that use
  none. So a newcomer starts at once, or when the first slot is free; never after a queue of others.
- Likewise within an environment: a key that uses none may take `key_kept_free` slots more than keys
  that use some, so that it need not wait for their work.
- Where work holds its slot for long and nothing can wait, shares shrink with what is left: an
  environment may hold at most `env_per_free` slots for each one that is free (the dynamic
  thresholds of shared-memory switches: Choudhury and Hahne, 1998). Some always stay free.
- When the queue is full and an environment with fewer waiting requests arrives, the newest request
  of the environment with the most is evicted. So no environment can fill the queue for others.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Final

_ENDLESS: Final = 2**62


@dataclass(frozen=True, slots=True)
class FairLimits:
    """How much may run and wait, in all and of one environment and key.

    kept_free: of `running_max`, the slots that only an environment without any may take.
    key_kept_free: of the others, those that only a key without any may take, beyond
        `running_env_max`.
    env_per_free, key_per_free: slots of one environment or key for each slot that is free. With 1
    it gets half of all while it is alone, the next one a quarter, and so on.
    """

    running_max: int
    waiting_max: int
    kept_free: int = 0
    key_kept_free: int = 0
    env_per_free: float = _ENDLESS
    key_per_free: float = _ENDLESS
    running_env_max: int = _ENDLESS
    running_key_max: int = _ENDLESS
    waiting_env_max: int = _ENDLESS
    waiting_key_max: int = _ENDLESS

    def __post_init__(self) -> None:
        if self.running_max < 1 or self.waiting_max < 0:
            raise ValueError("running_max must be 1 or more, waiting_max 0 or more")
        if min(self.kept_free, self.key_kept_free) < 0:
            raise ValueError("kept_free and key_kept_free must be 0 or more")
        if self.kept_free + self.key_kept_free >= self.running_max:
            raise ValueError("kept_free and key_kept_free together must be less than running_max")


class NoRoom(Exception):
    """No slot is free and the queue is full. own: only the caller's own share is used up."""

    def __init__(self, *, own: bool) -> None:
        super().__init__("the own share is used up" if own else "the whole room is used up")
        self.own = own


class Ticket:
    """Work of one key that waits, or that holds a slot (`running`), until it leaves."""

    __slots__ = ("_present", "env", "key", "running")

    def __init__(self, env: str, key: str) -> None:
        self.env = env
        self.key = key
        self.running = False
        self._present = True

    @property
    def present(self) -> bool:
        """Whether it waits or runs; False once it has left or was pushed out."""
        return self._present


@dataclass(frozen=True, slots=True)
class Entered:
    """A ticket that runs or waits. pushed_out: the waiting ticket that was evicted for it."""

    ticket: Ticket
    pushed_out: Ticket | None = None


@dataclass(slots=True)
class _Key:
    """The slots and waiting tickets of one key of an environment."""

    running: int = 0
    waiting: deque[Ticket] = field(default_factory=deque)


@dataclass(slots=True)
class _Environment:
    """The slots and waiting tickets of one environment. turns: waiting keys, the next first."""

    running: int = 0
    waiting: int = 0
    keys: dict[str, _Key] = field(default_factory=dict)
    turns: OrderedDict[str, None] = field(default_factory=OrderedDict)


class FairQueue:
    """Slots and a bounded queue. Every ticket that entered has to `leave`, once, at its end."""

    def __init__(self, limits: FairLimits) -> None:
        self._limits = limits
        self._environments: dict[str, _Environment] = {}
        self._turns: OrderedDict[str, None] = OrderedDict()  # environments that wait
        self.running = 0
        self.waiting = 0

    def enter(self, env: str, key: str) -> Entered:
        """A ticket that runs at once (`ticket.running`) or waits. Raises NoRoom.

        No waiting ticket could start now: `leave` starts all that may. So this one starts if it
        can.
        """
        ticket = Ticket(env, key)
        if self._may_start(env, key):
            self._start(ticket)
            return Entered(ticket)
        pushed_out = self._make_room(env, key)
        used = self._environments.setdefault(env, _Environment())
        of_key = used.keys.setdefault(key, _Key())
        of_key.waiting.append(ticket)
        used.turns.setdefault(key)
        self._turns.setdefault(env)
        used.waiting += 1
        self.waiting += 1
        return Entered(ticket, pushed_out)

    def leave(self, ticket: Ticket) -> list[Ticket]:
        """The work has ended, or no longer waits. Returns the tickets that start now.

        A ticket that has left already, or was pushed out, changes nothing.
        """
        if not ticket._present:
            return []
        if not ticket.running:
            self._remove_waiting(ticket)
            return []
        ticket._present = ticket.running = False
        used = self._environments[ticket.env]
        used.running -= 1
        used.keys[ticket.key].running -= 1
        self.running -= 1
        self._to_the_end(used, ticket)
        self._forget(ticket.env, ticket.key)
        started = []
        while (chosen := self._choose()) is not None:
            self._start_waiting(chosen)
            started.append(chosen)
        return started

    def used(self, env: str, key: str | None = None) -> tuple[int, int]:
        """(running, waiting) of an environment, or of one key of it."""
        used = self._environments.get(env, _Environment())
        if key is None:
            return used.running, used.waiting
        of_key = used.keys.get(key, _Key())
        return of_key.running, len(of_key.waiting)

    def _may_start(self, env: str, key: str) -> bool:
        free = self._limits.running_max - self.running
        used = self._environments.get(env)
        if used is None or not used.running:
            return free > 0
        of_key = used.keys.get(key, _Key()).running
        limits = self._limits
        for_others = limits.key_kept_free if of_key else 0
        env_max = limits.running_env_max + limits.key_kept_free - for_others
        return (
            free > limits.kept_free + for_others
            and used.running < min(env_max, limits.env_per_free * free)
            and of_key < min(limits.running_key_max, limits.key_per_free * free)
        )

    def _choose(self) -> Ticket | None:
        """The waiting ticket that starts next, if one may: few slots first, then by turns."""
        for env in sorted(self._turns, key=lambda name: self._environments[name].running):
            used = self._environments[env]
            for key in sorted(used.turns, key=lambda name: used.keys[name].running):
                if self._may_start(env, key):
                    return used.keys[key].waiting[0]
        return None

    def _start(self, ticket: Ticket) -> None:
        """Give the ticket a slot."""
        used = self._environments.setdefault(ticket.env, _Environment())
        of_key = used.keys.setdefault(ticket.key, _Key())
        ticket.running = True
        used.running += 1
        of_key.running += 1
        self.running += 1

    def _start_waiting(self, ticket: Ticket) -> None:
        """Move the ticket from the queue to a slot."""
        used = self._environments[ticket.env]
        self._take_out(ticket)
        self._to_the_end(used, ticket)
        self._start(ticket)

    def _to_the_end(self, used: _Environment, ticket: Ticket) -> None:
        """A ticket that just began or ended comes after all others that wait with as few slots."""
        for turns, name in ((self._turns, ticket.env), (used.turns, ticket.key)):
            if name in turns:
                turns.move_to_end(name)

    def _make_room(self, env: str, key: str) -> Ticket | None:
        """Make room in the queue for one more ticket, evicting one if needed. Raises NoRoom."""
        of_env, of_key = self.used(env)[1], self.used(env, key)[1]
        if of_key >= min(self._limits.waiting_key_max, self._limits.waiting_max):
            raise NoRoom(own=self._limits.waiting_max > 0 or self._holds_share(env))
        if of_env >= self._limits.waiting_env_max:
            return self._push_out_of_own(env, of_key)
        if self.waiting < self._limits.waiting_max:
            return None
        most = max(self._turns, key=lambda name: self._environments[name].waiting)
        if self._environments[most].waiting > of_env + 1:
            return self._push_out(most)
        if most == env or of_env:
            return self._push_out_of_own(env, of_key)
        raise NoRoom(own=False)

    def _holds_share(self, env: str) -> bool:
        """Without a waiting room: whether it is for its own slots that an environment gets none.

        Either some are kept free for others, or it holds an equal part of all or more.
        """
        of_env = self.used(env)[0]
        if self.running < self._limits.running_max:
            return of_env > 0
        return of_env * len(self._environments) >= self._limits.running_max

    def _push_out_of_own(self, env: str, of_key: int) -> Ticket:
        """Evict a ticket of the environment's own share. Raises NoRoom."""
        used = self._environments[env]
        if max(len(used.keys[name].waiting) for name in used.turns) > of_key + 1:
            return self._push_out(env)
        raise NoRoom(own=True)

    def _push_out(self, env: str) -> Ticket:
        """The newest waiting ticket of the key that waits with most."""
        used = self._environments[env]
        most = max(used.turns, key=lambda name: len(used.keys[name].waiting))
        ticket = used.keys[most].waiting[-1]
        self._remove_waiting(ticket)
        return ticket

    def _remove_waiting(self, ticket: Ticket) -> None:
        ticket._present = False
        self._take_out(ticket)
        self._forget(ticket.env, ticket.key)

    def _take_out(self, ticket: Ticket) -> None:
        """Remove the ticket from the queue."""
        used = self._environments[ticket.env]
        of_key = used.keys[ticket.key]
        of_key.waiting.remove(ticket)
        used.waiting -= 1
        self.waiting -= 1
        if not of_key.waiting:
            del used.turns[ticket.key]
        if not used.waiting:
            del self._turns[ticket.env]

    def _forget(self, env: str, key: str) -> None:
        """Remove the entries of a key and an environment that use nothing."""
        used = self._environments[env]
        of_key = used.keys[key]
        if not of_key.running and not of_key.waiting:
            del used.keys[key]
        if not used.keys:
            del self._environments[env]
