"""The compiled shredder: the kernel, with the reference for lines that it cannot read."""
