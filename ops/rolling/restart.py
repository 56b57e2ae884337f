"""A rolling restart: one process after the other, each only when the rule allows it.

It stops by itself when health got worse or a process does not come back, and is resumed where it
stopped. A claim in the locks excludes a second restart and keeps indexers from moving partitions.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from common.clock import Clock
from common.errors import Unavailable
from common.locks import Claim, Locks
from common.process.members import ROLLING_RESTART, RollingRestart, find_rolling_restart
from ops.rolling.fleet import Fleet, StopFailed
from ops.rolling.health import Allowed, Health, between, regressions
from ops.rolling.plan import FleetView, Unit, plan_units, unit_of, why_never, why_wait
from ops.rolling.state import RestartState, load_state, remove_state, save_state

_POLL_S = 0.5
_REASONS_SHOWN = 3  # in one line
Report = Callable[[str], None]


class Stopped(Exception):
    """The restart stopped by itself, between two steps. The message states the cause."""


class AlreadyRunning(Exception):
    """Another operator's rolling restart runs."""


@dataclass(frozen=True, slots=True)
class Options:
    """What to restart, and within which limits.

    by: the operator, for other operators.
    state: path of the state file.
    roles, zones: what is restarted; empty: all.
    safe_within_s: longest wait until a process may be stopped.
    ready_within_s: longest wait until a new process is ready.
    watch_s: how long health is measured before the restart and after each step.
    alone: restart even a process that is the only one of its role or of a partition.
    fresh: begin anew and ignore the state file.
    """

    by: str
    state: Path
    allowed: Allowed
    roles: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    safe_within_s: float = 300.0
    ready_within_s: float = 300.0
    watch_s: float = 5.0
    alone: bool = False
    fresh: bool = False


class Rolling:
    """One rolling restart. report: called with each line of its progress."""

    def __init__(
        self, fleet: Fleet, locks: Locks, clock: Clock, options: Options, report: Report
    ) -> None:
        self._fleet = fleet
        self._locks = locks
        self._clock = clock
        self._options = options
        self._report = report

    def _plan(self, view: FleetView, state: RestartState | None) -> tuple[list[Unit], list[str]]:
        """The units to restart in order, and why they cannot be without an interruption."""
        options = self._options
        places = {unit_of(member) for member in view.members}
        places |= set() if state is None else set(state.expected())
        units = plan_units(places, options.roles, options.zones)
        return units, [] if options.alone else why_never(units, places)

    async def dry_run(self) -> list[str]:
        """The plan as text, and the reasons why the first step would have to wait now."""
        view = await self._fleet.read_view()
        fresh = self._options.fresh
        known = None if fresh else await asyncio.to_thread(load_state, self._options.state)
        state = known or self._new_state(view)
        units, never = self._plan(view, state)
        lines = []
        for number, unit in enumerate(units, 1):
            done = " (done)" if state.is_done(unit, view) else ""
            lines.append(f"{number}. {unit}: {_instances(view, unit)}{done}")
        if units:
            first = why_wait(units[0], state.expected(), view, alone=self._options.alone)
            lines += [f"must wait: {why}" for why in first]
        return lines + [f"cannot be done: {why}" for why in never]

    async def run(self) -> None:
        """Restart everything. Raises Stopped, AlreadyRunning, StateUnreadable, Unavailable."""
        mark = RollingRestart(by=self._options.by, since_ns=self._clock.now_ns())
        claim = await asyncio.to_thread(
            self._locks.acquire, ROLLING_RESTART, msgspec.json.encode(mark)
        )
        if claim is None:
            raise AlreadyRunning(await asyncio.to_thread(self._held_by))
        try:
            await self._run(claim, mark)
        except Unavailable as error:
            raise Stopped(f"the locks do not answer: {error}") from error
        finally:
            try:
                await asyncio.to_thread(claim.release)
            except Unavailable as error:
                self._report(f"the lock ends with this process: {error}")

    async def _run(self, claim: Claim, mark: RollingRestart) -> None:
        options = self._options
        if options.fresh:  # only with the claim: the file may be that of a running restart
            await asyncio.to_thread(remove_state, options.state)
        view = await self._fleet.read_view()
        state = await asyncio.to_thread(load_state, options.state)
        units, never = self._plan(view, state)
        if never:
            raise Stopped(f"{'; '.join(never)} (--even-alone restarts it nevertheless)")
        if state is None:
            state = self._new_state(view)
            await asyncio.to_thread(save_state, options.state, state)
        else:
            self._report(f"resuming the restart that {options.state} tells of")
        normal = await self._watch(view)
        self._report(f"before: {normal}")
        if found := regressions(normal, normal, options.allowed):
            raise Stopped(f"things are not well to begin with: {'; '.join(found)}")
        for number, unit in enumerate(units, 1):
            if state.is_done(unit, await self._fleet.read_view()):
                await self._until_back(unit, frozenset())
                self._report(f"[{number}/{len(units)}] {unit}: restarted already")
                continue
            await self._until_safe(unit, state)  # partitions may still move until the next line
            step = f"{number} of {len(units)}, {unit}"
            await self._mark(claim, msgspec.structs.replace(mark, zone=unit.zone, step=step))
            health = await self._restart(unit, state, claim)
            await self._mark(claim, msgspec.structs.replace(mark, step=step))
            self._report(f"[{number}/{len(units)}] {unit}: ready again; {health}")
            if found := regressions(normal, health, options.allowed):
                raise Stopped(f"after {unit}: {'; '.join(found)}")
        await asyncio.to_thread(remove_state, options.state)

    async def _restart(self, unit: Unit, state: RestartState, claim: Claim) -> Health:
        view = await self._until_safe(unit, state)
        if not await asyncio.to_thread(claim.held):
            raise Stopped("the lock was lost: look whether another restart runs, then resume")
        before = await self._fleet.read_metrics(view)
        for member in view.at(unit):
            self._report(f"{unit}: stopping {member.instance}")
            try:
                await self._fleet.stop(member)
            except StopFailed as error:
                raise Stopped(str(error)) from error
        await self._until_back(unit, frozenset(m.instance for m in view.at(unit)))
        await asyncio.sleep(self._options.watch_s)
        after = await self._fleet.read_metrics(await self._fleet.read_view())
        return between(before, after)

    async def _until_safe(self, unit: Unit, state: RestartState) -> FleetView:
        """Wait until the rule allows the unit to be stopped."""
        deadline_ns = self._deadline_ns(self._options.safe_within_s)
        reported: list[str] = []
        while True:
            view = await self._fleet.read_view()
            why = why_wait(unit, state.expected(), view, alone=self._options.alone)
            if not why:
                return view
            if self._clock.monotonic_ns() > deadline_ns:
                raise Stopped(f"{unit} cannot be stopped: {'; '.join(why[:_REASONS_SHOWN])}")
            if why != reported:
                self._report(f"{unit}: waiting: {'; '.join(why[:_REASONS_SHOWN])}")
                reported = why
            await asyncio.sleep(_POLL_S)

    async def _until_back(self, unit: Unit, old: frozenset[str]) -> None:
        """Wait until a new process is ready and the old ones have ended."""
        deadline_ns = self._deadline_ns(self._options.ready_within_s)
        while True:
            try:
                view = await self._fleet.read_view()
            except Unavailable as error:
                why = f"the locks do not answer: {error}"
            else:
                now = view.at(unit)
                why = "; ".join(view.not_ready.get(m.instance, "") for m in now)
                if now and not why.strip("; ") and not any(m.instance in old for m in now):
                    return
            if self._clock.monotonic_ns() > deadline_ns:
                why = why.strip("; ") or "no new process was announced (does a supervisor run?)"
                raise Stopped(f"{unit} did not come back: {why}")
            await asyncio.sleep(_POLL_S)

    async def _watch(self, view: FleetView) -> Health:
        """The health while nothing is restarted."""
        before = await self._fleet.read_metrics(view)
        await asyncio.sleep(self._options.watch_s)
        return between(before, await self._fleet.read_metrics(view))

    async def _mark(self, claim: Claim, mark: RollingRestart) -> None:
        try:
            await asyncio.to_thread(claim.update, msgspec.json.encode(mark))
        except Unavailable as error:
            raise Stopped(f"the locks do not answer: {error}") from error

    def _new_state(self, view: FleetView) -> RestartState:
        units = [(m.role, m.zone, m.slot, m.instance) for m in view.members]
        return RestartState(
            self._clock.now_ns(), list(self._options.roles), list(self._options.zones), units
        )

    def _held_by(self) -> str:
        other = find_rolling_restart(self._locks)
        if other is None:
            return "another rolling restart has just ended or begun: try again"
        since_s = (self._clock.now_ns() - other.since_ns) / 1e9
        return f"{other.by} runs one since {since_s:.0f} s: {other.step or 'at its beginning'}"

    def _deadline_ns(self, within_s: float) -> int:
        return self._clock.monotonic_ns() + int(within_s * 1e9)


def _instances(view: FleetView, unit: Unit) -> str:
    found = []
    for member in view.at(unit):
        why = view.not_ready.get(member.instance)
        found.append(f"{member.instance} (not ready: {why})" if why else member.instance)
    return ", ".join(found) or "not running"
