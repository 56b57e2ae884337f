"""The vendor's protocol as the shepherd registers it."""

from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

from shepherd.honeycomb.auth_route import AuthRoute
from shepherd.honeycomb.ingest import Ingest
from shepherd.honeycomb.split.selected import SelectedSplitter
from shepherd.http.application import with_slash, wrong_method
from shepherd.ingest.protocol import IngestProtocol, ProtocolParts

_AUTH = "/1/auth"


class HoneycombProtocol(IngestProtocol):
    """`/1/events`, `/1/batch` and `/1/auth`."""

    browser_headers = (
        "X-Honeycomb-Team",
        "X-Hny-Team",
        "X-Honeycomb-Dataset",
        "X-Honeycomb-Event-Time",
        "X-Honeycomb-Samplerate",
    )
    other_paths = (_AUTH,)

    def __init__(self, parts: ProtocolParts) -> None:
        config = parts.config
        self._keys = parts.keys
        self._splitter = SelectedSplitter(config.string_bytes_max)
        ingest = Ingest(parts.accept, parts.keys, self._splitter, config.string_bytes_max)
        self.routes = ingest.routes
        self._kernel_folder: Path | None = None
        if config.kernel:
            self._kernel_folder = Path(config.kernel_cache or parts.folder / "kernel")

    def add_routes(self, app: web.Application) -> None:
        """As `IngestProtocol.add_routes`."""
        auth = AuthRoute(self._keys).auth
        refuse = wrong_method(self._keys, "GET, HEAD")
        for path in with_slash(_AUTH):
            app.router.add_get(path, auth)
            app.router.add_route("*", path, refuse)

    async def prepare(self) -> None:
        """Compile the splitter, then serve with the compiled one."""
        if self._kernel_folder is not None:
            await self._splitter.use_compiled(self._kernel_folder)

    def status(self) -> Mapping[str, object]:
        """The name of the selected splitter."""
        return {"splitter": self._splitter.name}
