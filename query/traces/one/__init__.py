"""One trace: its events from all datasets as a tree, pages of it, and links to other traces."""
