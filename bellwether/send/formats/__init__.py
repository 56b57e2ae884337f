"""Reading formats, one file each; `registry` has the table of all of them."""
