"""Summaries of this indexer's segments: made in the background, held in memory for questions."""
