"""TLS in front of a server that speaks none, so that what clients verify can be tried."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def tls_front(upstream_port: int, cert: Path, key: Path) -> Iterator[int]:
    """The port of a listener that ends TLS and passes bytes on to a port of loopback."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(
            target=_accept, args=(listening, context, upstream_port), daemon=True
        ).start()
        yield listening.getsockname()[1]


def _accept(listening: socket.socket, context: ssl.SSLContext, upstream_port: int) -> None:
    while True:
        try:
            plain, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(plain, context, upstream_port), daemon=True).start()


def _serve(plain: socket.socket, context: ssl.SSLContext, upstream_port: int) -> None:
    try:
        client = context.wrap_socket(plain, server_side=True)
    except OSError:  # it did not like our certificate
        plain.close()
        return
    upstream = socket.create_connection(("127.0.0.1", upstream_port))
    back = threading.Thread(target=_copy, args=(upstream, client), daemon=True)
    back.start()
    _copy(client, upstream)
    back.join()
    client.close()
    upstream.close()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(65_536):
            target.sendall(block)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
