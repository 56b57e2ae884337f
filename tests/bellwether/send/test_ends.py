"""A load that cannot go on says what was stored and why it stopped."""

import asyncio
import gzip
import io
import random
import ssl
from pathlib import Path

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from bellwether.client import ClientError, Target
from bellwether.client.session import connect
from bellwether.send.deliver.batches import batches
from bellwether.send.deliver.report import Outcome, print_outcome
from bellwether.send.deliver.sender import Progress, Sender
from bellwether.send.files.source import open_source
from bellwether.send.formats.detect import detect
from bellwether.send.formats.registry import reader_for
from bellwether.send.prepare.own_time import TimeChoices
from bellwether.send.prepare.prepare import Choices, prepare
from common.clock import SystemClock
from tests.bellwether.send.test_resume import Store
from tests.waiting import PATIENCE_S


def test_events_before_the_damage_of_a_file_are_sent_and_the_damage_is_named(
    tmp_path: Path,
) -> None:
    randomness = random.Random(1)
    text = b"".join(b'{"n":%d}\n' % randomness.getrandbits(60) for _ in range(60_000))
    path = tmp_path / "cut.json.gz"
    raw = gzip.compress(text)
    path.write_bytes(raw[: len(raw) // 2])
    source = open_source(str(path), 0)
    read = reader_for(detect(source.head, str(path)), source.head)
    found = list(batches(prepare(read(source.stream), Choices(), 0), "seed"))
    assert sum(len(batch.events) for batch in found) > 10_000
    assert "damaged gzip data: it is cut off" in (source.damage() or "")


@pytest.mark.parametrize(
    ("fields", "untimed", "is_told"), [((), 2, True), ((), 1, False), (("day",), 2, False)]
)
def test_a_load_without_any_time_says_how_to_name_the_field(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], fields: tuple[str, ...], untimed: int,
    is_told: bool,
) -> None:  # fmt: skip
    path = tmp_path / "x.json"
    path.write_bytes(b'{"day":"2020-01-01"}\n{"day":"2020-01-02"}\n')
    load = Store(tmp_path).send(path, choices=Choices(TimeChoices(fields)))
    print_outcome(load, Progress(accepted=2, untimed=untimed), Outcome())
    shown = capsys.readouterr().out
    assert "no time of their own" in shown
    assert ("--time-field NAME" in shown) == is_told


async def test_certificate_that_is_not_trusted_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = ConnectionKey("localhost", 1, True, True, None, None, None)
    error = aiohttp.ClientConnectorCertificateError(key, ssl.CertificateError("self-signed"))
    attempts = 0

    def refuse(*args: object, **options: object) -> None:
        nonlocal attempts
        attempts += 1
        raise error

    async with connect(Target("https://localhost:1", "key")) as client:
        monkeypatch.setattr(client.session, "post", refuse)
        sender = Sender(
            client, "d", SystemClock(), random.Random(1), lambda reject: None, lambda done: None
        )
        text = b'{"a":1}\n'
        events = prepare(reader_for("json", text)(io.BytesIO(text)), Choices(), 0)
        with pytest.raises(ClientError, match="--insecure"):
            await asyncio.wait_for(sender.send_all(batches(events, "seed")), PATIENCE_S)
    assert attempts == 1
    assert sender.progress == Progress()
