"""Puts the states of shares together, column by column."""
