"""The compiled transcoder: the kernel, with the reference for what the kernel does not write."""
