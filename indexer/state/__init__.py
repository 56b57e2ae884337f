"""The state of a partition: a pure function of its log, live rows, and the view that is served."""
