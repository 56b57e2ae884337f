"""Pages of named origins may send events, as the headers of every response show; others may not."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from common.errors import LogUnavailable
from shepherd.config import ShepherdConfig
from shepherd.http.origins import Origins, read_origin
from tests.shepherd.harness import KEY, Shepherd, shepherd

PAGE = "https://app.example.com"
OTHER = "https://evil.example.org"
ALLOW = "Access-Control-Allow-Origin"
ROUTES = ["/1/batch/d", "/1/events/d", "/1/events/d/"]
ASK = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type,x-honeycomb-team",
}
NO_KEY = {"X-Honeycomb-Team": ""}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Shepherd]:
    config = ShepherdConfig(port=0, cors_origins=(PAGE, "https://*.pages.example"))
    async with shepherd(tmp_path, config) as running:
        yield running


async def asked(
    server: Shepherd, path: str, headers: dict[str, str]
) -> tuple[int, Mapping[str, str]]:
    async with server.http.options(f"{server.url}{path}", headers={**NO_KEY, **headers}) as reply:
        return reply.status, reply.headers


@pytest.mark.parametrize("path", ROUTES)
async def test_preflight_without_a_key_is_answered_with_what_a_page_may_send(
    server: Shepherd, path: str
) -> None:
    for origin in (PAGE, "https://one.pages.example", "https://a.b.pages.example"):
        status, headers = await asked(server, path, {"Origin": origin, **ASK})
        assert (status, headers[ALLOW], headers["Vary"]) == (204, origin, "Origin")
        assert headers["Access-Control-Allow-Methods"] == "POST"
        assert int(headers["Access-Control-Max-Age"]) > 0
        assert "Access-Control-Allow-Credentials" not in headers
        allowed = {
            name.strip().lower() for name in headers["Access-Control-Allow-Headers"].split(",")
        }
        assert allowed >= {
            *("content-type", "content-encoding", "x-honeycomb-team", "x-honeycomb-dataset"),
            *("x-honeycomb-event-time", "x-honeycomb-samplerate", "x-bellwether-batch-id"),
        }


@pytest.mark.parametrize(
    "origin",
    [OTHER, "http://app.example.com", PAGE + ":444", PAGE + "/", "https://app.example.com.evil.org",
     "https://evilapp.example.com", "null", "", "*", "https://pages.example", PAGE.upper(),
     "https://.pages.example", "https://x/.pages.example", "https://evil.org#.pages.example",
     "https://u@x.pages.example", "https://x.pages.example:8443", "http://x.pages.example"],
)  # fmt: skip
async def test_other_pages_get_no_headers(server: Shepherd, origin: str) -> None:
    status, headers = await asked(server, "/1/batch/d", {"Origin": origin, **ASK})
    assert status == 403
    assert ALLOW not in headers
    assert headers["Vary"] == "Origin"
    _, _, headers = await server.post("/1/batch/d", [{"data": {"a": 1}}], {"Origin": origin})
    assert ALLOW not in headers


THROUGH_AIOHTTP = {"TE": "trailers"}


@pytest.mark.parametrize("more", [{}, THROUGH_AIOHTTP], ids=["fast path", "aiohttp"])
@pytest.mark.parametrize("path", ROUTES)
async def test_every_answer_says_that_the_page_may_have_it(
    server: Shepherd, path: str, more: dict[str, str]
) -> None:
    page = {"Origin": PAGE, **more}
    event = b'[{"data":{"a":1}}]' if "batch" in path else b'{"a":1}'
    answers = [
        await server.post(path, event, page),
        await server.post(path, b"{", page),
        await server.post(path, event, {**page, "X-Honeycomb-Team": "wrong"}),
        await server.post(path, event, {**page, "Content-Type": "text/csv"}),
    ]
    server.log.fault = LogUnavailable("down")
    answers.append(await server.post(path, event, page))
    assert [status for status, _, _ in answers] == [200, 400, 401, 415, 503]
    for _, _, headers in answers:
        assert headers[ALLOW] == PAGE
        assert headers["Vary"] == "Origin"
        exposed = headers["Access-Control-Expose-Headers"]
        assert {name.strip() for name in exposed.split(",")} >= {
            "X-Bellwether-Receipt",
            "Retry-After",
        }
    assert answers[0][2]["X-Bellwether-Receipt"]
    assert answers[4][2]["Retry-After"]


async def test_what_is_no_preflight_is_still_the_wrong_method(server: Shepherd) -> None:
    for headers in ({"Origin": PAGE}, ASK, {}):
        assert (await asked(server, "/1/batch/d", headers))[0] == 401
        status, told = await asked(server, "/1/batch/d", {**headers, "X-Honeycomb-Team": KEY})
        assert (status, told["Allow"]) == (405, "POST")
    status, told = await asked(server, "/1/queries/d", {"Origin": PAGE, **ASK})
    assert status == 401
    assert ALLOW not in told


async def test_every_page_may_send_where_a_star_says_so(tmp_path: Path) -> None:
    async with shepherd(tmp_path, ShepherdConfig(port=0, cors_origins=("*",))) as server:
        for origin in (PAGE, OTHER, "null"):
            status, headers = await asked(server, "/1/batch/d", {"Origin": origin, **ASK})
            assert (status, headers[ALLOW]) == (204, "*")
            _, _, headers = await server.post("/1/batch/d", [{"data": {}}], {"Origin": origin})
            assert headers[ALLOW] == "*"


async def test_without_the_setting_nothing_is_said(tmp_path: Path) -> None:
    async with shepherd(tmp_path) as server:
        asks = {"Origin": PAGE, **ASK, "X-Honeycomb-Team": KEY}
        status, headers = await asked(server, "/1/batch/d", asks)
        assert (status, headers["Allow"]) == (405, "POST")
        answers = [
            headers,
            (await server.post("/1/batch/d", [{"data": {"a": 1}}], {"Origin": PAGE}))[2],
        ]
        for told in answers:
            assert not [
                name for name in told if name.startswith("Access-Control") or name == "Vary"
            ]


def test_origins_are_read_as_browsers_write_them() -> None:
    assert read_origin("HTTPS://App.Example.com:443") == "https://app.example.com"
    assert read_origin("http://localhost:3000") == "http://localhost:3000"
    assert read_origin("http://[::1]:80") == "http://[::1]"
    assert not Origins(())
    assert Origins(("http://localhost:3000",))
    assert KEY not in repr(Origins(("*",)))


@pytest.mark.parametrize(
    "text",
    ["", "app.example.com", "https://app.example.com/", "https://app.example.com/path", "https://",
     "ftp://x", "https://*", "https://a.*.example.com", "null", "https://x y", "https://x:port",
     "https://u@x", "**", "https://*example.com", "https://x,https://y", "https://x\n"],
)  # fmt: skip
def test_what_is_no_origin_is_refused_at_the_start_and_told_how_to_write_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"cors_origins: .* is no origin; write it as https://"):
        ShepherdConfig(cors_origins=(text,))
