"""Lines of a web server's access log as `bellwether send` turns them into events."""

import gzip
import random
from itertools import cycle, islice
from pathlib import Path

import orjson

from bellwether.send.formats.access.log import parse_line
from benchmarks.systems.base import Checks
from benchmarks.workloads.base import Workload

ACCESS_FILE = "apache_access.log.gz"
_AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/32.0.1700.107",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "UniversalFeedParser/4.2-pre-314-svn +http://feedparser.org/",
    "-",
)
_WORDS = ("blog", "images", "presentations", "projects", "style", "tags", "articles", "files")


def access(real_data: Path | None) -> Workload:
    """The workload, from the real file if its folder is given."""
    source = real_data / ACCESS_FILE if real_data else None
    return Workload(
        "access log",
        "events of the combined format: "
        + ("a real log of 10,000 lines, repeated" if source else "generated like a real log"),
        lambda seed, events: _events(_real(source) if source else generated(seed), events),
        Checks((("status",), ("bytes",)), ("url",)),
        events=150_000,
    )


def _real(source: Path) -> list[str]:
    return gzip.decompress(source.read_bytes()).decode().splitlines()


def _events(lines: list[str], events: int) -> list[bytes]:
    """From the beginning again when there are no more; a line that is none is left out."""
    found = []
    for line in lines:
        try:
            found.append(orjson.dumps(parse_line(line).members))
        except ValueError:
            continue
    return list(islice(cycle(found), events))


def generated(seed: int, lines: int = 10_000) -> list[str]:
    """A log of visitors who read some pages each."""
    dice = random.Random(seed)
    found: list[str] = []
    host, agent = "", ""
    for number in range(lines):
        if not host or dice.random() < 0.2:
            host = ".".join(str(dice.randint(1, 254)) for _ in range(4))
            agent = dice.choice(_AGENTS)
        path = "/" + "/".join(dice.choices(_WORDS, k=dice.randint(1, 3)))
        path += dice.choice(("", "?flav=rss20", f"/{dice.randint(1, 400)}.png", ".html"))
        status = dice.choices((200, 304, 301, 404, 500), (85, 6, 3, 5, 1))[0]
        size = "-" if status == 304 else str(int(dice.lognormvariate(9, 1.5)))
        minute, second = divmod(number // 3, 60)
        date = f"17/May/2015:{10 + minute // 60:02}:{minute % 60:02}:{second:02} +0000"
        found.append(
            f'{host} - - [{date}] "GET {path} HTTP/1.1" {status} {size} '
            f'"http://example.test{path}" "{agent}"'
        )
    return found
