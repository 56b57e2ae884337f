"""The readable decoder: what an OTLP request means. The compiled one must give the same."""
