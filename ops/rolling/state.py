"""The state of a rolling restart: a file of the operator's, so that it can be resumed.

It names the processes that ran when the restart began. A process that is not among them has been
restarted. The locks could not hold it, because a claim ends with its holder.
"""

from pathlib import Path

import msgspec

from common import atomic_files
from ops.rolling.plan import FleetView, Unit


class StateUnreadable(Exception):
    """The state file cannot be used. The message states the remedy."""


class RestartState(msgspec.Struct, frozen=True):
    """The state file.

    begun_ns: unix ns.
    roles, zones: of the restart's options.
    units: role, zone, slot, and the instance that ran there when the restart began.
    """

    begun_ns: int
    roles: list[str]
    zones: list[str]
    units: list[tuple[str, str, str, str]]

    def is_done(self, unit: Unit, view: FleetView) -> bool:
        """Whether another process of the unit runs than at the beginning."""
        now = {member.instance for member in view.at(unit)}
        place = (unit.role, unit.zone, unit.slot)
        old = {instance for role, zone, slot, instance in self.units if (role, zone, slot) == place}
        return bool(now) and not now & old

    def expected(self) -> list[Unit]:
        """Every unit that had a process at the beginning."""
        return list(dict.fromkeys(Unit(role, zone, slot) for role, zone, slot, _ in self.units))


def load_state(path: Path) -> RestartState | None:
    """The state of an interrupted restart; None: there is none. Raises StateUnreadable."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=RestartState)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise StateUnreadable(f"{path}: {error}; remove it to begin anew") from error


def save_state(path: Path, state: RestartState) -> None:
    """Store the state durably. Raises OSError."""
    atomic_files.make_folder(path.parent)
    atomic_files.replace(path, msgspec.json.encode(state))


def remove_state(path: Path) -> None:
    """Remove the state file: the restart has ended."""
    path.unlink(missing_ok=True)
