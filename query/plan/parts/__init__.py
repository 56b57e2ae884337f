"""What plans are made of: conditions, and requests for spans."""
