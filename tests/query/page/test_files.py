"""The page's files: which are shown to anyone, what they may load, and what stands in for none."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import ClientSession, web

from common.clock import SystemClock
from common.metadata.sqlite import SqliteMetadata
from common.process.auth import KeyCache
from query.page.bundle import PageFile, find_bundle
from query.page.files_route import PageFilesRoute


@asynccontextmanager
async def served(
    folder: Path, files: Mapping[str, PageFile], why: str = ""
) -> AsyncIterator[ClientSession]:
    """A client of a server of these files."""
    metadata = SqliteMetadata(folder / "metadata.db")
    metadata.open()
    keys = KeyCache(metadata, SystemClock())
    app = web.Application()
    PageFilesRoute(keys, files, why).add_to(app)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        async with ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as client:
            yield client
    finally:
        await runner.cleanup()
        await keys.close()


def bundle(folder: Path) -> Path:
    made = folder / "bundle"
    made.mkdir()
    (made / "index.html").write_text("the page NONCE")
    (made / "docs.html").write_text("the API NONCE")
    (made / "docs-AB.js").write_text("1")
    return made


async def test_documents_load_nothing_foreign_and_scripts_are_kept_for_ever(tmp_path: Path) -> None:
    async with served(tmp_path, find_bundle(bundle(tmp_path))) as client:
        for path, text in (
            ("/ui/", "the page "),
            ("/ui/query/shop", "the page "),
            ("/docs", "the API "),
            ("/docs/", "the API "),
            ("/ui/docs.html", "the API "),
        ):
            async with client.get(path) as response:
                shown = await response.text()
                policy = response.headers["Content-Security-Policy"]
            assert shown.startswith(text)
            assert response.headers["Cache-Control"] == "no-store"
            assert "default-src 'none'" in policy
            assert f"'nonce-{shown.removeprefix(text)}'" in policy  # another one for each load
            assert "unsafe" not in policy
        async with client.get("/ui/docs-AB.js") as response:
            assert "immutable" in response.headers["Cache-Control"]


async def test_an_address_with_a_dot_in_a_name_is_the_page_and_a_file_that_is_gone_is_told(
    tmp_path: Path,
) -> None:
    async with served(tmp_path, find_bundle(bundle(tmp_path))) as client:
        for path in ("/ui/query/com.shop.cart?tab=events", "/ui/trace/a.1", "/ui/fields/v1.2"):
            async with client.get(path) as response:
                assert response.status == 200
                assert (await response.text()).startswith("the page ")
        async with client.get("/ui/page-OLD.js") as response:
            assert not response.ok


async def test_without_a_bundle_both_addresses_say_so_and_where_the_document_is(
    tmp_path: Path,
) -> None:
    async with served(tmp_path, {}, "the page was not built") as client:
        for path, said in (("/ui/", "not built"), ("/docs", "/bw/1/openapi.json")):
            async with client.get(path) as response:
                assert response.status == 404
                assert said in await response.text()


async def test_a_file_is_sent_compressed_to_who_takes_it_and_whole_to_others(
    tmp_path: Path,
) -> None:
    folder = bundle(tmp_path)
    script = next(one.name for one in folder.iterdir() if one.suffix == ".js")
    whole = (folder / script).read_bytes()
    async with served(tmp_path, find_bundle(folder)) as client:
        for taken, encoding in (("gzip, br", "gzip"), ("identity", None)):
            async with client.get(f"/ui/{script}", headers={"Accept-Encoding": taken}) as response:
                assert response.headers.get("Content-Encoding") == encoding
                assert await response.read() == whole
