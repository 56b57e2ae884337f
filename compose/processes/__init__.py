"""Processes of this machine: start and stop them, their ports, output and progress."""
