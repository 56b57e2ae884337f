"""The compiled decoder: the kernel, with the reference for what the kernel does not handle."""
