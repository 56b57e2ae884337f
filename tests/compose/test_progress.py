"""Installing says what it does while it does it, and never where packages come from."""

import sys
from pathlib import Path

import pytest

from compose.processes.progress import named_in, run_telling

SECRET_MIRROR = "https://user:secret@mirror.example/maven2/org/a/kafka-clients-4.3.1.jar"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (f"[INFO] Downloaded from central: {SECRET_MIRROR} (5.1 MB at 9 MB/s)",
         "kafka-clients-4.3.1.jar"),
        (f"Downloading from mirror: {SECRET_MIRROR}", "kafka-clients-4.3.1.jar"),
        ("go: downloading github.com/versity/versitygw v1.8.0",
         "github.com/versity/versitygw v1.8.0"),
        ("Get:3 http://deb.example bookworm/main amd64 mariadb-server-core amd64 1:10 [7 MB]",
         "mariadb-server-core"),
        ("Setting up mariadb-server-core (1:10.11) ...", "mariadb-server-core"),
        ("[INFO] BUILD SUCCESS", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_of_a_line_only_the_name_of_the_package_is_told(line: str, name: str) -> None:
    assert named_in(line) == name


def test_what_runs_is_told_meanwhile_and_its_output_is_kept(tmp_path: Path) -> None:
    go_on = tmp_path / "go-on"
    program = (
        "import pathlib, sys, time\n"
        "print('{\"Sum\": 1}', flush=True)\n"
        "for n in range(3):\n"
        "    print(f'go: downloading example.com/part v{n}', file=sys.stderr, flush=True)\n"
        f"while not pathlib.Path({str(go_on)!r}).exists():\n"
        "    time.sleep(0.01)\n"
        "sys.exit(7)\n"
    )
    told: list[str] = []

    def tell(text: str) -> None:
        told.append(text)
        if "3 files and packages so far, now example.com/part v2" in text:
            go_on.touch()

    done = run_telling([sys.executable, "-c", program], tmp_path, {}, tell, every_s=0.02)
    assert done.returncode == 7
    assert done.stdout == '{"Sum": 1}\n'
    assert done.stderr.count("go: downloading") == 3
    assert told


def test_a_package_manager_that_says_very_much_is_read_to_its_end(tmp_path: Path) -> None:
    program = "import sys\nfor _ in range(100_000): sys.stdout.write('x' * 99 + '\\n')\n"
    done = run_telling([sys.executable, "-c", program], tmp_path, {}, lambda text: None)
    assert done.returncode == 0
    assert 4_000_000 < len(done.stdout) < 5_000_000  # the rest is read, and not kept
