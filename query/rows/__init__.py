"""The events themselves: what may be asked, pages by position, and `POST /bw/1/rows`."""
