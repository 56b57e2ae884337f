"""What a process takes of its machine: memory, room on disk, and its turn at the processors."""
