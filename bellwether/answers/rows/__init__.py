"""Events as `bellwether rows` shows them: a table, a tree, JSON lines, CSV."""
