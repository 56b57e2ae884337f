"""`POST /bw/1/fields`: the fields of a dataset, how common each is, and some of its values."""
