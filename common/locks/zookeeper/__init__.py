"""Locks in ZooKeeper (kazoo)."""
