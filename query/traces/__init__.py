"""Traces: one trace as a tree, search by conditions on its spans, states, flows, comparison."""
