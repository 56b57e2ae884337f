"""The sealing pipeline: cuts become segments, which are published in order (I3, I4)."""
