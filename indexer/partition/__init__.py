"""One partition from resume to release: follow the log, index, keep time and memory, retain."""
