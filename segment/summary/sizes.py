"""The bounds of summaries (I11)."""

from typing import Final

# A summary is read into memory whole, for thousands of segments.
SUMMARY_BYTES_MAX: Final = 256 * 1024
COLUMNS_MAX: Final = 1_000  # beyond them, those with the fewest rows are left out
# Values and counts of one column: as many as a list of the most frequent ones shows.
VALUES_MAX: Final = 32
VALUE_BYTES_MAX: Final = 128  # longer texts are cut; hosts, routes and names are shorter
BOUND_BYTES: Final = 32  # of the smallest and largest text; longer ones are rounded
# Up to so many distinct values a table finds them; beyond it sorted hashes count them, which takes
# the same time whatever the number of values.
DISTINCT_TABLE_MAX: Final = 4_096
# The smallest hashes of a column's values: a union of so many is off by 9 % (one standard error).
HASHES_MAX: Final = 128
# Beginnings of texts: the longest of these sizes of which there are few enough for all of them.
PREFIX_BYTES: Final = (16, 8, 4)
PREFIXES_MAX: Final = 64
PREFIX_LOOK: Final = 1_024  # texts of many distinct ones that are looked at first
# Parts of words (`segment.summary.grams`), in bits. Those of letters are few where texts are made
# of some templates; mixed ones are as many as ids have, of which the largest table knows a part:
# they rule out less, and are not worth more memory.
GRAM_BITS_MIN: Final = 2**12
LETTER_GRAM_BITS_MAX: Final = 2**18
MIXED_GRAM_BITS_MAX: Final = 2**19
GRAM_SET_MAX: Final = 0.2  # of the bits: three grams of a text miss by chance with 99 %
GRAM_HALVES_MAX: Final = 5  # beyond, a text of usual length has no gram of which anything is known
