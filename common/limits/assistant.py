"""Limits of what agents ask through the assistant: what fits a context window, and at once."""

from typing import Final

AGENT_ANSWER_CHARS_MAX: Final = 24_000  # of an answer's rows: some 8,000 tokens
AGENT_CELL_CHARS_MAX: Final = 500  # of a value; a stack trace is read with fewer rows at a time
AGENT_ROWS_DEFAULT: Final = 50  # enough to see a pattern
AGENT_ROWS_MAX: Final = 1_000  # more never fit
AGENT_LISTED_MAX: Final = 200  # datasets, fields, values of one answer
AGENT_NOTES_MAX: Final = 20  # notes of an answer
AGENT_CALLS_MAX: Final = 32  # at once: an agent asks a few, a server for a team some more
AGENT_CONNECTIONS_MAX: Final = 256  # of the HTTP server: idle ones of clients that keep them
AGENT_BODY_BYTES_MAX: Final = 1_000_000  # of a call: a specification is some KB
AGENT_REPLY_BYTES_MAX: Final = 64_000_000  # of the API's answer, before it is cut to fit
AGENT_WAIT_S: Final = 60.0  # for a query's answer in one request; then it is polled
AGENT_QUERY_S_MAX: Final = 300.0  # for an answer in all: clients give up after some minutes
