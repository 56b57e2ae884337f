"""Bodies that cost more than their bytes, sent again and again, and a victim beside them (I14)."""

import gzip
import struct
import threading
import urllib.error
import urllib.request
from collections import Counter
from itertools import cycle
from pathlib import Path

import pytest

from tests.attacks.victim import Victim, make_key
from tests.system import counts
from tests.system.harness import System, running

pytestmark = [pytest.mark.system, pytest.mark.scenario]

SECONDS = 10.0
SENDERS = 6
VICTIM_BATCHES = 20


def packed(count: int, values: bytes) -> bytes:
    return b"\xdd" + struct.pack(">I", count) + values


BODIES = (
    ("json", b"[" * 4_900_000),
    ("json", b"[" + b",".join([b"{}"] * 100_000) + b"]"),
    ("json", b'[{"data":{"a":' + b"[" * 2_000_000 + b"]" * 2_000_000 + b"}}]"),
    ("json", b"[" + b",".join([b'{"data":{"a":NaN}}'] * 50_000) + b"]"),
    ("json", b'[{"data":{"b":[' + b",".join([b"0"] * 2_400_000) + b"]}}]"),
    ("msgpack", b"\x91" * 4_900_000),
    ("msgpack", b"\x91\x81\xa4data\x81\xa1a" + packed(4_900_000, b"\xc0" * 4_900_000)),
    ("msgpack", packed(50_000, b"\xc0" * 50_000)),
    ("json", gzip.decompress(gzip.compress(bytes(6_000_000)))),
)


def post(url: str, key: str, body: bytes, media: str = "json") -> int:
    request = urllib.request.Request(f"{url}/1/batch/attack", data=body, method="POST")
    for name, value in (
        ("X-Honeycomb-Team", key),
        ("Content-Type", f"application/{media}"),
        ("Content-Encoding", "gzip"),
    ):
        request.add_header(name, value)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.read()
        return error.code
    except OSError:
        return 0  # no answer


def splitters(system: System) -> set[str]:
    """What reads bodies: compiled code is what is measured, and it takes a while to be there."""
    status = system.http("GET", "/bw/1/status").json()
    return {one["placement"]["splitter"] for one in status["shepherds"] if "placement" in one}


def test_costly_bodies_of_one_environment_do_not_hold_up_another(tmp_path: Path) -> None:
    bodies = [(media, gzip.compress(body, 1)) for media, body in BODIES]
    with running(tmp_path) as system:
        victim = Victim.of(system)
        attacker = make_key(system.data, "attacker", ingest=True)
        batch = gzip.compress(b"[" + b",".join([b'{"data":{"a":1}}'] * 1_000) + b"]")
        system.wait_until(lambda: splitters(system) == {"kernel"}, "the compiled splitter", 120)
        sent: Counter[int] = Counter()
        compressed: Counter[int] = Counter()

        def send(over: threading.Event, first: int) -> None:
            for media, body in cycle(bodies[first:] + bodies[:first]):
                if over.is_set():
                    return
                sent[post(system.url, attacker, body, media)] += 1

        def attack(over: threading.Event) -> None:
            senders = [
                threading.Thread(target=send, args=(over, n % len(bodies))) for n in range(SENDERS)
            ]
            for sender in senders:
                sender.start()
            for _ in range(VICTIM_BATCHES):
                compressed[post(system.url, victim.key, batch)] += 1
                over.wait(0.1)
            for sender in senders:
                sender.join(60)

        report = victim.compare("costly bodies", attack, SECONDS)
        counts.show(f"costly bodies: answered {dict(sent)}; compressed batches {dict(compressed)}")
        assert compressed == {200: VICTIM_BATCHES}
        assert set(sent) <= {0, 200, 400, 429, 503}  # the attacker is promised nothing
        assert sent[200]
        assert sent[400]
        report.assert_unharmed()
