"""Servers are installed whole and as pinned, or not at all, and what lacks is named plainly."""

import stat
import threading
from pathlib import Path

import pytest

from compose.install import PACKAGES, InstallFailed, ensure, missing_tools
from compose.processes.host import Host

JAR = "zookeeper-3.9.5.jar"


def host_with(folder: Path, **programs: str) -> Host:
    """A machine whose only programs are these shell scripts (and the system's own)."""
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    for name, script in programs.items():
        path = tools / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    environ = {"PATH": f"{tools}:/bin", "BELLWETHER_SERVERS": str(folder / "cache")}
    return Host.from_environ(environ)


def mvn(content: str) -> str:
    """A Maven that delivers one jar."""
    return (
        f'for word in "$@"; do case "$word" in -DoutputDirectory=*) mkdir -p "${{word#*=}}"; '
        f'echo {content} > "${{word#*=}}/{JAR}";; esac; done'
    )


def test_jars_that_are_not_the_pinned_ones_are_refused(tmp_path: Path) -> None:
    host = host_with(tmp_path, mvn=mvn("other"), java="true")
    with pytest.raises(InstallFailed, match="not the pinned ones"):
        ensure(host, "zookeeper", lambda text: None)
    left = [path.name for path in host.cache.iterdir()]
    assert left == ["zookeeper-3.9.5.lock"], "a half-made installation was left"


def test_what_lacks_is_named_with_how_to_get_it(tmp_path: Path) -> None:
    host = Host.from_environ({"PATH": str(tmp_path), "BELLWETHER_SERVERS": str(tmp_path)})
    lacking = [text for text in missing_tools(host, PACKAGES["kafka"]) if "Maven" in text]
    if host.find("mvn") is None:
        assert lacking
        with pytest.raises(InstallFailed, match="apt-get install maven"):
            ensure(host, "kafka", lambda text: None)


def test_installing_twice_at_once_fetches_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compose.install._check_sums", lambda package, libs: None)
    count = tmp_path / "count"
    host = host_with(tmp_path, mvn=f"echo x >> {count}; sleep 0.3; {mvn('x')}", java="true")
    said: list[str] = []
    threads = [
        threading.Thread(target=ensure, args=(host, "zookeeper", said.append)) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count.read_text().count("x") == 1
    assert (host.cache / "zookeeper-3.9.5" / "libs" / JAR).exists()
