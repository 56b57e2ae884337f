"""The events themselves: `POST /bw/1/rows`, its request, and pages by position."""
