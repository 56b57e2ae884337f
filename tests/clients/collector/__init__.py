"""An OpenTelemetry Collector, built once from Go modules whose hashes are pinned here.

`main.go` names the components; none of them is changed. It is a client in tests, and a peer in
the benchmark.
"""
