"""One signature for a fault on two builds; when it was deployed, seen, and repaired."""

from datetime import datetime

import pytest

from tests.examples.conftest import EXAMPLES, Examples

pytestmark = pytest.mark.system


def deploy(examples: Examples, build: int) -> str:
    """A build whose lines differ from those of the others; where it lies."""
    folder = examples.system.folder / f"build-{build}"
    folder.mkdir()
    program = (EXAMPLES / "crashes" / "shop.py").read_text()
    lines = "\n" * (build - 39)
    (folder / "shop.py").write_text(lines + program.replace("\n\n\ndef", f"\n\n{lines}\ndef"))
    event = {"data": {"build": build}}
    examples.system.send("deploys", [event])
    return str(folder / "shop.py")


def test_the_page_is_right(examples: Examples) -> None:
    def report(build: int, path: str, order: str, code: int, runs: int = 1) -> None:
        words = ("--build", str(build), "--runs", str(runs), "--", "python3", path, str(build))
        examples.run("crashes/watch.py", *words, order, code=code)

    for build in (40, 41, 42):
        path = deploy(examples, build)
        report(build, path, "book,pen,pen", 0, runs=70)
        report(build, path, "book,pencil", 1)  # a fault that every build has
        if build == 41:
            report(build, path, "book,pen", 1, runs=2)
    examples.wait_for("crashes", 3 * 71 + 2)
    examples.wait_for("deploys", 3)
    found = examples.groups(
        "crashes",
        "COUNT, COUNT_DISTINCT(build) WHERE exit_code != 0 GROUP BY exception.signature LAST 1d",
    )
    seen = {
        one["exception.signature"]: (one["COUNT"], one["COUNT_DISTINCT(build)"]) for one in found
    }
    everywhere = "v1 KeyError in shop.price < shop.genexpr < shop.total < shop.main < shop.<module>"
    new = "v1 ZeroDivisionError in shop.discount < shop.main < shop.<module>"
    assert seen == {everywhere: (3, 3), new: (2, 1)}
    deploys = examples.rows("deploys", "LAST 1d", "--oldest")
    at = {one["data"]["build"]: datetime.fromisoformat(one["time"]) for one in deploys}
    condition = f'WHERE exception.signature = "{new}" LAST 1d'
    first = examples.rows("crashes", condition, "--oldest", "-n", "1")[0]
    last = examples.rows("crashes", condition, "-n", "1")[0]
    seen_at = datetime.fromisoformat(first["time"])
    assert at[40] < at[41] < seen_at  # time to detect: seen_at - at[41]
    assert seen_at < datetime.fromisoformat(last["time"]) < at[42]  # to repair: at[42] - seen_at
