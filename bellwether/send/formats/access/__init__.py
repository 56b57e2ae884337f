"""Access and error logs of web servers."""
