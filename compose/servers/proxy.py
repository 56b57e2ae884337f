"""toxiproxy: a proxy for each link between a client and a server, for injecting network faults."""

import json
import urllib.error
import urllib.request
from pathlib import Path

from compose.processes.ports import LOOPBACK, answers
from compose.processes.process import Process
from compose.servers.base import STOP_S, Site

READY_S = 300.0
_TIMEOUT_S = 5.0


class ProxyFailed(Exception):
    """The proxy refused a request or could not be reached."""


class Link:
    """One proxied address. Faults stay until `heal`."""

    def __init__(self, name: str, port: int, upstream_port: int, proxy: "Proxy") -> None:
        self.name = name
        self.port = port
        self.upstream_port = upstream_port
        self._proxy = proxy

    def latency(self, ms: int, jitter_ms: int = 0) -> None:
        """Delay responses to the client."""
        self._toxic("latency", "downstream", {"latency": ms, "jitter": jitter_ms})

    def late(self, ms: int) -> None:
        """Delay the client's requests: they arrive after the client's time-out."""
        self._toxic("latency", "upstream", {"latency": ms, "jitter": 0})

    def black_hole(self, *, requests: bool = True, answers_too: bool = True) -> None:
        """Hold all bytes back; connections stay open. The bytes are delivered after `heal`.

        requests, answers_too: cut one way only by turning the other off.
        """
        if requests:
            self._toxic("timeout", "upstream", {"timeout": 0})
        if answers_too:
            self._toxic("timeout", "downstream", {"timeout": 0})

    def limit(self, kb_per_s: int) -> None:
        """Bound the rate in both directions, in KB/s."""
        for stream in ("upstream", "downstream"):
            self._toxic("bandwidth", stream, {"rate": kb_per_s})

    def reset(self, after_ms: int = 0, *, share: float = 1.0) -> None:
        """Reset connections (this share of them) instead of answering."""
        self._toxic("reset_peer", "downstream", {"timeout": after_ms}, share)

    def refuse(self) -> None:
        """Close the link: connections end and new ones are refused."""
        self._proxy.request("POST", f"/proxies/{self.name}", {"enabled": False})

    def divert(self, port: int) -> None:
        """Forward to another port of loopback, such as another proxy's; connections end."""
        self._lead_to(port)

    def heal(self) -> None:
        """Take every fault away."""
        for toxic in self._proxy.request("GET", f"/proxies/{self.name}/toxics"):
            self._proxy.request("DELETE", f"/proxies/{self.name}/toxics/{toxic['name']}")
        self._lead_to(self.upstream_port)

    def _lead_to(self, port: int) -> None:
        body = {"upstream": f"{LOOPBACK}:{port}", "enabled": True}
        self._proxy.request("POST", f"/proxies/{self.name}", body)

    def _toxic(
        self, kind: str, stream: str, attributes: dict[str, int], share: float = 1.0
    ) -> None:
        body = {"type": kind, "stream": stream, "toxicity": share, "attributes": attributes}
        self._proxy.request("POST", f"/proxies/{self.name}/toxics", body)


class Proxy:
    """The proxy's process and its links by name (`kafka-1`, `zookeeper-2`, `mariadb`, `s3`)."""

    def __init__(self, site: Site, program: Path) -> None:
        self.name = "proxy"
        self.process: Process = site.process(self.name)
        self.links: dict[str, Link] = {}
        self._site = site
        self._program = program

    def __getitem__(self, link: str) -> Link:
        return self.links[link]

    @property
    def _port(self) -> int:
        return self._site.ports.get("proxy.control")

    def start(self) -> None:
        """Start; links are added with `add`."""
        self._site.start_with_free_ports("proxy.control", self._start)

    def _start(self) -> None:
        self.process.kill()
        command = [str(self._program), "-host", LOOPBACK, "-port", str(self._port)]
        folder = self._site.data_folder(self.name)
        self.process.start(command, self._site.host.server_environment(), folder)
        self.process.wait_ready(lambda: answers(self._port), READY_S)

    def add(self, name: str, upstream_port: int, *, host: str = LOOPBACK, port: int = 0) -> Link:
        """Put a link in front of a port of loopback. The link's own port never changes.

        host, port: where it listens, when the caller chooses.
        """
        known = self.links.get(name)
        if known is not None and known.upstream_port == upstream_port:
            return known
        if known is not None:
            self.request("DELETE", f"/proxies/{name}")
        elif not port:
            self._site.ports.renew(f"proxy-{name}.")
        port = port or self._site.ports.get(f"proxy-{name}.client")
        self.request("POST", "/proxies", {
            "name": name, "listen": f"{host}:{port}",
            "upstream": f"{LOOPBACK}:{upstream_port}", "enabled": True,
        })  # fmt: skip
        self.links[name] = Link(name, port, upstream_port, self)
        return self.links[name]

    def heal(self) -> None:
        """Take every fault off every link."""
        for link in self.links.values():
            link.heal()

    # the proxy's documents are its own: name and toxics of a link
    def request(self, method: str, path: str, body: object = None) -> list[dict[str, str]]:
        """A request to the proxy's control port. Raises ProxyFailed."""
        data = None if body is None else json.dumps(body).encode()
        # the proxy refuses browsers' User-Agents, so the request sets its own
        headers = {"User-Agent": "bellwether-compose", "Content-Type": "application/json"}
        url = f"http://{LOOPBACK}:{self._port}{path}"
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
                raw = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode("utf-8", "replace")
            raise ProxyFailed(f"{method} {path}: {error.code} {text}") from error
        except OSError as error:
            raise ProxyFailed(f"{method} {path}: {error}") from error
        found = json.loads(raw) if raw else []
        return found if isinstance(found, list) else [found]

    def stop(self) -> None:
        self.process.stop(STOP_S)

    def kill(self) -> None:
        self.process.kill()
