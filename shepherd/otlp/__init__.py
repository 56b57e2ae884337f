"""OpenTelemetry's protocol: traces, logs and metrics over HTTP and gRPC (ADR 0051)."""
