"""A protocol of a few lines, as proof that a new one is a folder: each line names a dataset.

The body is text, `dataset<TAB>json` per event. It imports what any protocol may import.
"""
