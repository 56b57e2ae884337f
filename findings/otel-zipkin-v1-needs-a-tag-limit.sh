#!/usr/bin/env bash
# OpenTelemetry's Zipkin exporter for Python cannot send a span with a text attribute as version 1,
# unless a limit for the length of tags is given.
#
# Expected: `max_tag_value_length` is optional and unset by default; without it no text is cut.
# Seen (opentelemetry-exporter-zipkin-json 1.45.1, opentelemetry-sdk 1.45.2 of PyPI): version 2 sends
# the span with and without the limit. Version 1 sends it with a limit of 64; without one no request
# is made, and the SDK logs a TypeError: None is compared with a number. The program goes on.
# Way round: pass max_tag_value_length, or use version 2 (the default).
#
# Needs Python 3.11 or newer and pip. Fails if the behaviour changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check \
  opentelemetry-exporter-zipkin-json==1.45.1 opentelemetry-sdk==1.45.2
cat > send.py <<'PYTHON'
import io
import logging
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

from opentelemetry.exporter.zipkin.encoder import Protocol
from opentelemetry.exporter.zipkin.json import ZipkinExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

taken: list[bytes] = []


class Collector(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        taken.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(202)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
threading.Thread(target=server.serve_forever, daemon=True).start()
log = io.StringIO()
logging.basicConfig(stream=log)
print("opentelemetry-exporter-zipkin-json", version("opentelemetry-exporter-zipkin-json"))
seen = {}
for protocol in (Protocol.V2, Protocol.V1):
    for limit in (None, 64):
        taken.clear()
        log.truncate(0)
        log.seek(0)
        exporter = ZipkinExporter(
            version=protocol,
            endpoint=f"http://127.0.0.1:{server.server_port}/",
            max_tag_value_length=limit,
        )
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        with provider.get_tracer("t").start_as_current_span("work", attributes={"word": "hello"}):
            pass
        provider.shutdown()
        seen[protocol.value, limit] = len(taken), "TypeError" in log.getvalue()
        print(f"version {protocol.value}, limit {limit}: {len(taken)} requests, "
              f"TypeError logged: {'TypeError' in log.getvalue()}")
server.shutdown()
expected = {("v2", None): (1, False), ("v2", 64): (1, False),
            ("v1", None): (0, True), ("v1", 64): (1, False)}
sys.exit(0 if seen == expected else "the behaviour has changed")
PYTHON
env/bin/python send.py
