"""The compiled splitter: the kernel, and the reference for what the kernel leaves to it."""
