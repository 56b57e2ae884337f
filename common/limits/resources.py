"""Limits of what clients manage: markers, derived columns, stored queries and the like."""

from typing import Final

# --- resources ---------------------------------------------------------------------------------
# Of one dataset (or the environment itself), and of a whole environment. A list is one answer: of
# 5,000 markers it has some 1 MB.
MARKERS_MAX: Final = (5_000, 20_000)
MARKER_SETTINGS_MAX: Final = (200, 5_000)  # types of markers; a chart tells some dozens apart
DERIVED_COLUMNS_MAX: Final = (1_000, 5_000)  # each question reads those of its dataset
QUERY_ANNOTATIONS_MAX: Final = (5_000, 20_000)
# Of an environment, some 50 MB; then the oldest one leaves, unless it is annotated.
STORED_QUERIES_MAX: Final = 100_000
STORED_AGAIN_NS: Final = 86_400 * 10**9  # a query that is stored again counts as new once a day
MARKER_TIME_S_MAX: Final = 253_402_300_799  # the last second of the year 9999
MARKER_MESSAGE_CHARS_MAX: Final = 1_023
MARKER_URL_CHARS_MAX: Final = 2_048
CALCULATED_DEPTH_MAX: Final = 10  # calculated fields that use one another; the vendor's limit
QUERY_NAME_CHARS_MAX: Final = 320  # of a query's annotation; the vendor's limit
QUERY_DESCRIPTION_CHARS_MAX: Final = 1_023  # likewise
