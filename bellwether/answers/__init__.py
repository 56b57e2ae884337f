"""What comes back, as people and programs take it: a folder for each kind of answer."""
