"""OTLP's metrics as events: values of data points, their gathering, and the facts of columns."""
