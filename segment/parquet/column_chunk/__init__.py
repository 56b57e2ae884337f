"""One column of a file: values to pages, and pages to the bytes of its column chunk."""
