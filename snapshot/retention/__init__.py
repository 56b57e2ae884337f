"""What is no longer served, and when its objects go (I4, I13)."""
