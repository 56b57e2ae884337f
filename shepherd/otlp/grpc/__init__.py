"""OTLP over gRPC, on a port of its own (ADR 0056). grpcio is imported when the listener starts."""
