"""`POST /bw/1/rows`: stored events, their request, and pages by position."""
