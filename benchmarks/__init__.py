"""Measurements. `python -m benchmarks` is the harness; its rooms:

    workloads/   the events, from seeds or real files
    systems/     what is measured: ours, its stages, yardsticks, peers, servers, growth
    otlp/        what OTLP and Zipkin cost, apart (`otlp`, `otlp-storing`, `zipkin`)
    page/        the page in a browser (`page`)
    serving/     role processes and clients for those that work over HTTP
    runner       processes and turns; worker: the process that one system is measured in
    results      what is kept; report/: tables, goals, picture, docs/performance.md

Beside it are programs of their own: `figures` and `cluster_figures` (latency and idle costs of a
machine and of a cluster), `broker_faults` (throughput while brokers fail), `embedded_log`,
`two_builds` and `kafka_builds` (CPU of two checkouts, with either log).
"""
