"""Bellwether's own wide events, for its own `bellwether` dataset (bounded, never recursive)."""

from typing import Protocol


class Telemetry(Protocol):
    """Where a role puts events about itself."""

    def emit(self, name: str, **fields: str | int | float | bool | None) -> None:
        """Queue one event; never waits, never raises. What does not fit is dropped and counted."""


class NoTelemetry:
    """Telemetry that is turned off."""

    def emit(self, name: str, **fields: str | int | float | bool | None) -> None:
        return None
