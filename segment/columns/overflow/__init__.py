"""The overflow column: the rarest columns of a wide segment in one column of JSON text."""
