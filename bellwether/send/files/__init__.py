"""Files as they lie on disk: unpacked as far as they go, known again, gone on with."""
