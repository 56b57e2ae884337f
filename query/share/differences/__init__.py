"""What a share says about differences: how values are distributed on either side."""
