"""Write documents like those of real servers, for docs/example.md: the same for the same seed.

    python3 examples/make_documents.py access 2000 > access.log
    python3 examples/make_documents.py nginx 200 > status.ndjson

`access`: an access log in the combined format, with the odd requests that real logs have.
`nginx`: status documents of an nginx server, nested, with long counters.
"""

import json
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

_START = datetime(2015, 5, 17, 10, 5, tzinfo=UTC)
_PAGES = ("/", "/blog/tags/puppet", "/images/logo.png", "/robots.txt", "/reset.css", "/?flav=rss20")
_AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    'curl/7.68 (\\"quoted\\")',
    "-",
)
_ODD = ('"-" 408 -', '"\\x16\\x03\\x01" 400 226', '"GET /a b HTTP/1.0" 404 12', '"GET /" 200 7')


def access_log(count: int, seed: int) -> Iterator[str]:
    """Lines in the combined format."""
    chance = random.Random(seed)
    moment = _START
    for _ in range(count):
        moment += timedelta(seconds=chance.randrange(0, 40))
        host = f"203.0.113.{chance.randrange(1, 200)}"
        date = moment.strftime("%d/%b/%Y:%H:%M:%S +0000")
        if chance.random() < 0.01:
            yield f'{host} - - [{date}] {chance.choice(_ODD)} "-" "-"'
            continue
        method = chance.choices(("GET", "HEAD", "POST"), (95, 3, 2))[0]
        status = chance.choices((200, 304, 301, 404, 500), (85, 6, 3, 5, 1))[0]
        size = "-" if status == 304 or method == "HEAD" else str(int(chance.lognormvariate(9, 1.5)))
        request = f"{method} {chance.choice(_PAGES)} HTTP/1.1"
        agent = chance.choice(_AGENTS)
        yield f'{host} - - [{date}] "{request}" {status} {size} "-" "{agent}"'


def nginx_status(count: int, seed: int) -> Iterator[str]:
    """Status documents, one JSON object per line."""
    chance = random.Random(seed)
    moment = datetime(2015, 10, 31, tzinfo=UTC)
    total, failed = 18_853_899, 4_647
    zones = {"hg.nginx.org": 205_543, "trac.nginx.org": 422_435}
    for _ in range(count):
        moment += timedelta(milliseconds=chance.randrange(4_000, 6_000))
        total += chance.randrange(0, 200)
        failed += chance.randrange(0, 3)
        for zone in zones:
            zones[zone] += chance.randrange(0, 20)
        document = {
            "version": 6,
            "nginx_version": "1.9.4",
            "address": chance.choice(("206.251.255.63", "206.251.255.64")),
            "timestamp": int(moment.timestamp() * 1000),
            "connections": {"active": chance.randrange(1, 12), "idle": chance.randrange(10, 60)},
            "ssl": {"handshakes": total // 800, "handshakes_failed": failed},
            "requests": {"total": total, "current": chance.randrange(1, 5)},
            "server_zones": {
                zone: {"requests": n, "responses": {"2xx": n - n // 100, "5xx": n // 100}}
                for zone, n in zones.items()
            },
            "upstreams": {"trac-backend": {"peers": [{"id": 0, "state": "up"}], "keepalive": 0}},
        }
        yield json.dumps(document, separators=(",", ":"))


def main() -> int:
    """Write the documents that the arguments ask for."""
    kinds = {"access": access_log, "nginx": nginx_status}
    if len(sys.argv) not in (3, 4) or sys.argv[1] not in kinds:
        sys.stderr.write(__doc__ or "")
        return 2
    seed = int(sys.argv[3]) if len(sys.argv) == 4 else 1
    for line in kinds[sys.argv[1]](int(sys.argv[2]), seed):
        sys.stdout.write(f"{line}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
