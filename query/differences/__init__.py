"""`POST /bw/1/differences`: what is different about some events of a query."""
