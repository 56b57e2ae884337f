"""Settings: where alarms are posted, in addition to status, metrics and logs."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from common.settings import setting


@dataclass(frozen=True, slots=True)
class AlarmsConfig:
    """Where the beginning and the end of each alarm are posted."""

    url: str = setting(
        "",
        "Where each alarm's beginning and end are posted as JSON (empty: nowhere).",
        secret=True,  # such addresses often hold a token
    )
    timeout_s: float = setting(5.0, "Seconds that one post may take.")

    def __post_init__(self) -> None:
        if self.url and (urlsplit(self.url).scheme not in ("http", "https") or " " in self.url):
            raise ValueError("url must begin with http:// or https://")
        if not 0 < self.timeout_s <= 60:
            raise ValueError("timeout_s must be more than 0 and at most 60")
