"""Doctor's checks find what they are for, and name a remedy."""

import os
import socket
from pathlib import Path

import pytest

from common.clock import SystemClock
from ops.doctor import machine as doctor
from ops.doctor.machine import Finding, Verdict


def one(found: list[Finding]) -> Finding:
    (item,) = found
    assert item.verdict is Verdict.GOOD or item.remedy
    return item


def test_loose_secrets_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir(mode=0o700)
    key = folder / "key"
    key.write_text("k")
    key.chmod(0o644)
    assert one(doctor.check_secrets(tmp_path)).verdict is Verdict.FAIL
    key.chmod(0o600)
    assert one(doctor.check_secrets(tmp_path)).verdict is Verdict.GOOD
    assert doctor.check_secrets(tmp_path / "none") == []


def test_fsync_is_tried_and_leaves_nothing(tmp_path: Path) -> None:
    item = one(doctor.check_fsync(tmp_path / "not" / "yet", SystemClock()))
    assert item.verdict in (Verdict.GOOD, Verdict.WARN)
    assert list(tmp_path.iterdir()) == []


def test_port_that_is_taken_is_ours_or_a_failure() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert one(doctor.check_port("127.0.0.1", port, "")).verdict is Verdict.FAIL
        assert one(doctor.check_port("127.0.0.1", port, "http://x")).verdict is Verdict.GOOD
    assert one(doctor.check_port("127.0.0.1", 0, "")).verdict is Verdict.GOOD
    assert "http://x" in one(doctor.check_port("127.0.0.1", 0, "http://x")).text


@pytest.mark.parametrize(
    ("skew_s", "verdict"),
    [(0.4, Verdict.GOOD), (-5, Verdict.WARN), (5, Verdict.WARN), (-900, Verdict.FAIL)],
)
def test_clock_skew_is_measured_against_the_server(skew_s: float, verdict: Verdict) -> None:
    assert one(doctor.check_clock(1.8e9, 1.8e9 + skew_s)).verdict is verdict


def test_a_clock_that_was_never_set_is_found() -> None:
    assert one(doctor.check_clock(None, 100.0)).verdict is Verdict.FAIL


def test_old_python_and_missing_packages_are_found() -> None:
    old, missing = doctor.check_python((3, 10), ["no-such-package-anywhere"])
    assert old.verdict is missing.verdict is Verdict.FAIL
    assert "no-such-package-anywhere" in missing.text
    assert all(f.verdict is Verdict.GOOD for f in doctor.check_python((3, 11), ["pytest"]))


def test_half_a_tls_configuration_is_found(tmp_path: Path) -> None:
    assert doctor.check_tls("", "") == []
    assert one(doctor.check_tls("cert", "")).verdict is Verdict.FAIL
    assert one(doctor.check_tls(str(tmp_path / "c"), str(tmp_path / "k"))).verdict is Verdict.FAIL


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_folder_of_someone_else_is_found(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert one(doctor.check_folder(tmp_path)).verdict is Verdict.FAIL


def test_folder_that_is_not_there_yet_is_fine(tmp_path: Path) -> None:
    assert one(doctor.check_folder(tmp_path / "data")).verdict is Verdict.GOOD
    assert one(doctor.check_disk(tmp_path / "data")).check == "disk space"
