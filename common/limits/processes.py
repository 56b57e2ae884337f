"""Limits of every role's process: alarms, telemetry, keys, members."""

from typing import Final

# --- alarms --------------------------------------------------------------------------------------
ALARM_NOTICES_MAX: Final = 1_000  # that wait for a receiver; the oldest go first, counted
ALARM_POST_WAIT_S_MAX: Final = 300.0  # between attempts: a receiver that is back gets them soon
# An alarm of an earlier process counts as over when this one, having had time to check every
# partition, has not raised it.
COPIES_ALARM_S: Final = 60.0  # a restart of an indexer takes less
ALARM_SETTLE_S: Final = 600.0

# --- own telemetry -----------------------------------------------------------------------------
TELEMETRY_QUEUE_EVENTS_MAX: Final = 4_096  # some seconds of all events of a role
TELEMETRY_BATCH_EVENTS_MAX: Final = 1_024  # sent at once
TELEMETRY_BODY_BYTES_MAX: Final = 2_000_000  # a batch of those with room for long texts
TELEMETRY_OWNERS_MAX: Final = 32  # environments whose questions are sent per second
SUMMARY_GROUPS_MAX: Final = 500  # (key, dataset, rule or status) groups summed up per second
REFUSAL_SAMPLES_MAX: Final = 3  # error texts kept per group

# --- sessions of the page ------------------------------------------------------------------------
SESSION_S: Final = 30 * 86_400  # a person on call logs in once a month
SESSION_SECRET_S: Final = 60  # between looks for another secret, when a cookie cannot be read
SESSIONS_TRIED: Final = 8  # cookies of installations on one host, each of which costs a decryption
LOGIN_LINK_S: Final = 600  # a link that logs in once is used right after it was printed
COOKIES_CHARS_MAX: Final = 8_192  # of all cookies of a host together; browsers send no more
# --- keys and metadata (I8) ----------------------------------------------------------------------
KEY_CHARS_MAX: Final = 256  # the longest key form is 64; anything far longer is not a key
KEY_CACHE_ENTRIES_MAX: Final = 10_000  # some 10 MB of memory at worst; keys per process
KEY_FRESH_S: Final = 30  # then looked up again: a revoked key stops well within 60 s
KEY_UNASKED_S: Final = 55  # a known key is usable this long without a lookup: below a minute
KEY_STALE_S: Final = 24 * 3600  # how long known keys serve without metadata
KEY_UNKNOWN_S: Final = 5  # a key that was just created works within this
KEYS_PER_ENVIRONMENT_MAX: Final = 1_000  # valid ones made over HTTP; each is in every cache
KEY_EVENTS_MAX: Final = 10**12  # of a key per second or day: beyond it there is no limit
KEY_LOOKUPS_MAX: Final = 256  # at once: a flood of made-up keys cannot pile up
METADATA_TIMEOUT_S: Final = 2.0  # a request waits no longer for metadata
# Of an environment. Each costs a segment and its fsyncs in each cut, some memory in every role, and
# a line in every list: beyond a thousand, what tells events apart should be a field of theirs.
DATASETS_MAX_DEFAULT: Final = 1_000
DATASET_CACHE_ENTRIES_MAX: Final = 10_000  # datasets per process
DATASET_NAME_FRESH_S: Final = 5  # a query role asks again what dataset a name means
DATASET_LISTS_KEPT: Final = 100  # environments whose list of datasets a query role remembers
DATASET_FRESH_S: Final = 20  # a changed depth is seen within about this
DATASET_WAIT_S: Final = 0.5  # a new dataset waits this long to be registered, then continues
METADATA_RETRY_S: Final = 5  # after a failure known keys are served without asking for this long

# --- role processes ------------------------------------------------------------------------------
ROLE_THREADS_MAX: Final = 32  # most of them wait for a server; cores are shared by few at a time
STORE_UPKEEP_THREADS_MAX: Final = 4  # beside the next, for deletions of many partitions
STORE_THREADS_MAX: Final = 16  # calls to the object store at once, beside the fetching of segments
KEPT_FREE_BYTES_MAX: Final = 67_108_864  # freed memory an arena of an indexer keeps: about one cut
KEPT_BLOCK_BYTES_MAX: Final = 16_777_216  # larger blocks are given back: a column is smaller
KEPT_ARENAS_MAX: Final = 4  # so 256 MiB at most; few threads allocate much at the same time
KEPT_FREE_BYTES_SMALL: Final = 8_388_608  # `up --small`: a machine that has no memory to spare
KEPT_ARENAS_SMALL: Final = 2  # one for the event loop's thread, one for all others
GIVE_BACK_LOOK_S: Final = 5.0  # between checks whether freed memory should go back to the system
GIVE_BACK_GROWN_BYTES: Final = 100 * 2**20  # it goes at once when memory has grown so much
GIVE_BACK_LOOKS: Final = 3  # else at every third look: under load some 0.3 % of CPU for new pages
