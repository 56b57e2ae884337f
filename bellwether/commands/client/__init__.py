"""The client: sending, and which server it speaks to."""
