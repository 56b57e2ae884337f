"""Of an exception no text is shown that is not our own."""

import asyncio
import errno
import io
import logging
import threading
from typing import cast

import orjson
import pytest
from aiohttp import ClientResponseError, RequestInfo
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from common.error_text import describe_error, describe_traceback
from common.errors import NotFound
from common.logs import JsonFormatter, log_event, log_loop_errors

SECRET = "planted-secret-0123456789"


def response_error() -> ClientResponseError:
    headers = CIMultiDictProxy(CIMultiDict({"X-Bellwether-Internal-Token": SECRET}))
    url = URL(f"http://127.0.0.1:1/internal/tail?key={SECRET}")
    return ClientResponseError(
        RequestInfo(url, "GET", headers, url), (), status=400, message=SECRET
    )


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:  # noqa: BLE001 - only to give it a traceback
        return caught


def test_an_http_clients_error_is_told_by_status_and_path() -> None:
    assert SECRET in repr(response_error())  # what makes all this needed
    assert describe_error(response_error()) == "ClientResponseError: status 400 of /internal/tail"


def test_our_own_errors_keep_their_words() -> None:
    assert describe_error(NotFound("there is no dataset 'a'")) == "there is no dataset 'a'"


def test_the_operating_systems_errors_are_told_in_its_words() -> None:
    error = OSError(errno.ENOSPC, f"no room for {SECRET}", f"/tmp/{SECRET}")
    assert describe_error(error) == "OSError: No space left on device"
    assert describe_error(TimeoutError()) == "no answer in time"


def test_any_other_error_is_told_by_type_and_place() -> None:
    def parse() -> None:
        int(SECRET)

    with pytest.raises(ValueError, match=SECRET) as caught:
        parse()
    assert describe_error(caught.value).startswith("ValueError at tests/common/test_error_text.py:")


def test_a_traceback_tells_frames_and_causes_without_their_texts() -> None:
    try:
        try:
            raise KeyError(SECRET)
        except KeyError as error:
            raise RuntimeError(SECRET) from error
    except RuntimeError as error:
        group = BaseExceptionGroup(SECRET, [error, ValueError(SECRET)])
        text = describe_traceback(raised(cast(Exception, group)))
    assert SECRET not in text
    assert text.index("KeyError at") < text.index("RuntimeError at") < text.index("| ValueError")
    assert "in test_a_traceback_tells_frames_and_causes_without_their_texts" in text


def lines_of(stream: io.StringIO) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def logger(stream: io.StringIO) -> logging.Logger:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter("shepherd", "s1", [SECRET]))
    made = logging.Logger("test")
    made.addHandler(handler)
    return made


def test_log_lines_hold_no_text_of_foreign_exceptions(
    logger: logging.Logger, stream: io.StringIO
) -> None:
    other = "another-secret-987654321"
    logger.error("failed: %s", ValueError(other))
    logger.error("failed", exc_info=raised(ValueError(other)))
    log_event(logger, logging.ERROR, "failed", why=ValueError(other))
    assert other not in stream.getvalue()
    assert len(lines_of(stream)) == 3


def test_secrets_that_a_process_knows_are_masked_in_every_log_line(
    logger: logging.Logger, stream: io.StringIO
) -> None:
    logger.warning("sent %s", SECRET)
    log_event(logger, logging.WARNING, "sent", header=f"token={SECRET}")
    assert [line["message"] for line in lines_of(stream)] == ["sent ***", "sent"]
    assert SECRET not in stream.getvalue()


async def test_the_event_loops_own_reports_hold_no_arguments(
    caplog: pytest.LogCaptureFixture,
) -> None:
    loop = asyncio.get_running_loop()
    log_loop_errors(loop)

    def fails(argument: str) -> None:
        raise ValueError(argument)

    loop.call_soon(fails, SECRET)
    await asyncio.sleep(0.01)
    formatter = JsonFormatter("shepherd", "s1")
    written = [formatter.format(record) for record in caplog.records]
    assert len(written) == 1
    assert SECRET not in written[0]
    assert "ValueError at tests/common/test_error_text.py" in written[0]


def test_a_thread_that_ends_with_an_error_is_logged_without_its_text(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from common import logs

    monkeypatch.setattr(threading, "excepthook", logs._thread_ends)

    def fails() -> None:
        raise ValueError(SECRET)

    thread = threading.Thread(target=fails, name="worker")
    thread.start()
    thread.join()
    (record,) = caplog.records
    line = JsonFormatter("shepherd", "s1").format(record)
    assert SECRET not in line
    assert orjson.loads(line)["thread"] == "worker"
