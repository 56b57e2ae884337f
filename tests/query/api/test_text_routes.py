"""The text form and the specification of a question, kept equal over HTTP."""

from pathlib import Path

from tests.query.harness import query_harness


async def test_a_text_becomes_its_specification_and_that_the_text_again(tmp_path: Path) -> None:
    text = "COUNT, P99(ms) WHERE status >= 500 GROUP BY service LAST 2h"
    async with query_harness(tmp_path) as role:
        status, read = await role.post("/bw/1/text/read", {"text": f"{text} FROM shop"})
        assert (status, read["dataset"], read["fault"]) == (200, "shop", None)
        status, wrote = await role.post("/bw/1/text/write", {"query": read["query"]})
        assert (status, wrote) == (200, {"text": text})


async def test_the_word_that_is_not_understood_is_told_with_its_place(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as role:
        text = "COUNT WHERE status > > 5"
        status, read = await role.post("/bw/1/text/read", {"text": text})
        assert status == 200
        assert read["query"] is None
        assert text[read["fault"]["start"] : read["fault"]["end"]] == ">"
        assert read["fault"]["start"] == text.rindex(">")
        assert (await role.post("/bw/1/text/read", {}))[0] == 422
        assert (await role.post("/bw/1/text/read", {"text": "COUNT", "zone": "X/Y"}))[0] == 422
        assert (await role.post("/bw/1/text/write", {"query": {"limit": 0}}))[0] == 422
        assert (await role.post("/bw/1/text/read", {"text": "COUNT"}, key="NOQUERY"))[0] == 403


async def test_what_would_be_refused_is_told_at_its_words_and_can_still_be_written(
    tmp_path: Path,
) -> None:
    async with query_harness(tmp_path) as role:
        text = 'COUNT WHERE a MATCHES "(" AND b = 1 SINCE yesterday EVERY 1s'
        _, read = await role.post("/bw/1/text/read", {"text": text})
        found = [
            (one["member"], one["at"], text[one["start"] : one["end"]]) for one in read["faults"]
        ]
        assert sorted(found, key=str) == [
            ("filters", 0, 'a MATCHES "("'), ("granularity", None, "EVERY 1s"),
        ]  # fmt: skip
        assert read["range"] == "SINCE yesterday"
        body = {
            "query": {**read["query"], "limit": 7},
            "range": read["range"],
            "zone": "Europe/Berlin",
        }
        status, wrote = await role.post("/bw/1/text/write", body)
        assert status == 200
        assert "LIMIT 7 SINCE yesterday EVERY 1s" in wrote["text"]
