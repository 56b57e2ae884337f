"""Which fields a dataset has, how common each is, when it was last seen, and some values."""
