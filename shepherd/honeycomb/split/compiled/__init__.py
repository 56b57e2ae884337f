"""The compiled splitter: the kernel, with the reference for what the kernel does not handle."""
