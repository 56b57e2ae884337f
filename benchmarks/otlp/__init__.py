"""What OpenTelemetry's protocol costs, against other ways for the same spans."""
