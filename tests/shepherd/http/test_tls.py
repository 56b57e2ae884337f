"""TLS with a certificate and key, slow clients, raw HTTP, and a clean stop."""

import asyncio
import contextlib
import datetime
import ipaddress
import ssl
from pathlib import Path

import pytest
from aiohttp import ClientSession
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from common import limits
from common.log import Appended
from common.model.record import Record
from common.process.http.service import Timing
from shepherd.config import ShepherdConfig
from tests.shepherd.harness import KEY, TOKEN, Shepherd, shepherd
from tests.waiting import PATIENCE_S


def write_certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_path, key_path = folder / "cert.pem", folder / "key.pem"
    cert_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert_path, key_path


async def raw(server: Shepherd, request: bytes, half_close: bool = False) -> bytes:
    """Everything that the server sends back before it closes the connection."""
    host, port = server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    await writer.drain()
    if half_close:
        writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), PATIENCE_S)
    writer.close()
    return answer


async def test_events_come_in_over_tls(tmp_path: Path) -> None:
    cert, key = write_certificate(tmp_path)
    config = ShepherdConfig(port=0, tls_cert=str(cert), tls_key=str(key))
    async with shepherd(tmp_path, config) as server:
        assert server.url.startswith("https://")
        trust = ssl.create_default_context(cafile=str(cert))
        async with ClientSession(headers={"X-Honeycomb-Team": KEY}) as http:
            url = f"{server.url}/1/batch/d"
            async with http.post(url, data=b'[{"data":{"a":1}}]', ssl=trust) as reply:
                assert await reply.json() == [{"status": 202}]


async def test_body_that_trickles_in_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BODY_READ_TIMEOUT_S", 0.2)
    async with shepherd(tmp_path, timing=Timing(skip_s=0.2)) as server:
        head = f"POST /1/batch/d HTTP/1.1\r\nHost: x\r\nX-Honeycomb-Team: {KEY}\r\n"
        answer = await raw(
            server, f"{head}Content-Length: 100\r\nConnection: close\r\n\r\n[".encode()
        )
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"did not arrive in time" in answer


async def test_connection_that_never_finishes_its_head_is_closed(
    tmp_path: Path, config: ShepherdConfig
) -> None:
    async with shepherd(tmp_path, config, timing=Timing(head_s=2.0)) as server:
        assert (await server.post("/1/batch/d", b'[{"data":{"a":1}}]'))[0] == 200
        assert await raw(server, b"POST /1/batch/d HTTP/1.1\r\nHost: x\r\nX-A") == b""
        assert (await server.post("/1/batch/d", b'[{"data":{"a":1}}]'))[0] == 200


async def test_headers_beyond_the_limit_are_refused(tmp_path: Path) -> None:
    async with shepherd(tmp_path) as server:
        answer = await raw(
            server, b"GET /1/auth HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 40_000 + b"\r\n\r\n"
        )
    assert answer.startswith((b"HTTP/1.0 400", b"HTTP/1.1 400"))


async def test_stop_answers_what_is_in_flight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shepherd(tmp_path) as server:
        append, began, go_on = server.log.append, asyncio.Event(), asyncio.Event()

        async def held(partition: int, record: Record) -> Appended:
            began.set()
            await go_on.wait()
            return await append(partition, record)

        monkeypatch.setattr(server.log, "append", held)
        sending = asyncio.create_task(server.post("/1/batch/d", b'[{"data":{"a":1}}]'))
        await asyncio.wait_for(began.wait(), PATIENCE_S)
        server.stop.set()
        await asyncio.sleep(0.1)  # it begins to stop
        go_on.set()
        assert (await sending)[:2] == (200, [{"status": 202}])


@pytest.mark.parametrize(
    "rest",
    [
        "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        "Transfer-Encoding: chunked\r\n\r\n5\r\n[1",
        "Content-Length: 100\r\n\r\n[1",
        "Content-Length: abc\r\n\r\n",
    ],
)
async def test_broken_http_bodies_harm_nobody_else(
    tmp_path: Path, rest: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with shepherd(tmp_path, timing=Timing(skip_s=0.2)) as server:
        head = f"POST /1/batch/d HTTP/1.1\r\nHost: x\r\nX-Honeycomb-Team: {KEY}\r\n"
        answer = await raw(server, (head + rest).encode(), half_close=True)
        assert answer == b"" or b" 400 " in answer.split(b"\r\n", 1)[0]
        assert (await server.post("/1/batch/d", b'[{"data":{"a":1}}]'))[0] == 200
        assert len(await server.records()) == 1
    assert "a request failed" not in caplog.text


async def test_handshakes_that_never_finish_are_ended_and_cost_nobody_a_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TLS_HANDSHAKE_TIMEOUT_S", 2.0)
    cert, key = write_certificate(tmp_path)
    config = ShepherdConfig(port=0, tls_cert=str(cert), tls_key=str(key), connections_max=8)
    async with shepherd(tmp_path, config) as server:
        host, port = server.url.removeprefix("https://").split(":")
        trust = ssl.create_default_context(cafile=str(cert))
        async with ClientSession(headers={"X-Honeycomb-Team": KEY}) as http:
            for _ in range(2):
                silent = [await asyncio.open_connection(host, int(port)) for _ in range(30)]
                for number, (_, writer) in enumerate(silent):
                    writer.write([b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n"][number % 3])
                url = f"{server.url}/1/batch/d"  # on a kept connection from the second time on
                async with http.post(url, data=b'[{"data":{"a":1}}]', ssl=trust) as reply:
                    assert await reply.json() == [{"status": 202}]
                for reader, writer in silent:
                    async with asyncio.timeout(PATIENCE_S):
                        with contextlib.suppress(ConnectionError):
                            await reader.read()
                    writer.close()
        headers = {"X-Bellwether-Internal-Token": TOKEN}
        async with server.http.get(
            f"{server.internal}/internal/placement", headers=headers
        ) as reply:
            shown = (await reply.json())["connections"]
        assert (shown["max"], shown["refused"]) == (8, {})
        assert shown["open"] <= 1
        assert shown["closed_for_room"] >= 30
