"""`/ui/` and `/docs`: the files of the page and of the API's description.

Their headers let them load nothing from elsewhere.
"""

import os
from collections.abc import Mapping
from typing import Final

from aiohttp import web

from common.errors import NotFound
from common.process.auth import KeyCache
from query.http.access import key_of
from query.page.bundle import DOCS, INDEX, PageFile

PREFIX: Final = "/ui/"
_NONCE: Final = b"NONCE"  # in index.html: the editor's style sheets are made by its script
_FOR_EVER: Final = "public, max-age=31536000, immutable"


def _policy(nonce: str) -> str:
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


class PageFilesRoute:
    """The handlers; they need no key. files: by name; none: the page was not built (`why`)."""

    def __init__(self, keys: KeyCache, files: Mapping[str, PageFile], why: str = "") -> None:
        self._keys = keys
        self._files = files
        self._why = why

    def add_to(self, app: web.Application) -> None:
        """Mount the routes."""
        app.router.add_get("/", self.root)
        app.router.add_get("/ui{rest:/?}", self.index)  # a shepherd takes the slash off
        app.router.add_get(PREFIX + "{name:.+}", self.file)
        app.router.add_get("/docs{rest:/?}", self.docs)

    async def root(self, request: web.Request) -> web.Response:
        """Lead a browser to the page; to everything else it is no route.

        Raises NotFound, UnknownKey.
        """
        if "text/html" not in request.headers.get("Accept", ""):
            await key_of(self._keys, request)
            raise NotFound("unknown API route")
        return web.Response(status=302, headers={"Location": PREFIX})

    async def index(self, _: web.Request) -> web.Response:
        """The page."""
        return self._html(INDEX) if self._files else self._missing()

    async def docs(self, _: web.Request) -> web.Response:
        """The API's description, for anyone: it says nothing about what is stored."""
        if DOCS in self._files:
            return self._html(DOCS)
        return self._missing("; the document itself is at /bw/1/openapi.json")

    async def file(self, request: web.Request) -> web.Response:
        """A file; every address of the page that is no file is the page itself."""
        if not self._files:
            return self._missing()
        name = request.match_info["name"]
        found = self._files.get(name)
        # beside the index, and never in a folder: a dataset or a trace may have a dot in its name
        if found is None and "." in name and "/" not in name:
            raise NotFound("there is no such file of the page")
        if found is None or not found.is_named_by_content:
            return self._html(INDEX if found is None else name)
        headers = {"Cache-Control": _FOR_EVER, "ETag": f'"{found.etag}"'} | _SAFE
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=304, headers=headers)
        headers["Vary"] = "Accept-Encoding"
        data = found.data
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            data, headers["Content-Encoding"] = found.compressed, "gzip"
        response = web.Response(body=data, content_type=found.content_type, headers=headers)
        response.charset = "utf-8"
        return response

    def _missing(self, instead: str = "") -> web.Response:
        why = self._why or "the page was built by an older version"
        return web.Response(status=404, text=f"{why}{instead}\n")

    def _html(self, name: str) -> web.Response:
        nonce = os.urandom(16).hex()
        response = web.Response(
            body=self._files[name].data.replace(_NONCE, nonce.encode()),
            content_type="text/html",
            headers={
                "Cache-Control": "no-store",
                "Content-Security-Policy": _policy(nonce),
                "Cross-Origin-Opener-Policy": "same-origin",
                **_SAFE,
            },
        )
        response.charset = "utf-8"
        return response


_SAFE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}
