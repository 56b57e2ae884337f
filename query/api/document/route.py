"""`GET /bw/1/openapi.json`: the document, for anyone: it says nothing about what is stored."""

from aiohttp import web

from query.api.document.build import build_document
from query.http.problems import public_base


class DocumentRoute:
    """The handler; it needs no key."""

    def add_to(self, app: web.Application) -> None:
        """Mount the route."""
        app.router.add_get("/bw/1/openapi.json", self.document)

    async def document(self, request: web.Request) -> web.Response:
        """The document, with the address that the caller used as its server."""
        return web.json_response(build_document(public_base(request)))
