"""How often each numbered event counts in a log, by the rules of conditional records alone.

Only for when nothing can land any more: then a conditional copy counts unless a partition that it
names holds the batch (design, section 6), which is what indexers come to decide.
"""

from collections import Counter

import orjson

from common.log import Log
from common.model.record import Kind, Record, decode
from common.model.record_value import decompress_value

_READ_BYTES = 4 << 20


async def counted_events(log: Log) -> Counter[int]:
    """Counts by the events' field `n`; events without it are left out."""
    held: dict[bytes, dict[int, Record]] = {}
    for partition in range((await log.open()).partitions):
        offset = 0
        while messages := await log.read(partition, offset, _READ_BYTES, 0):
            offset = messages[-1].offset + 1
            for record in map(decode, messages):
                if record.kind is Kind.EVENTS:
                    held.setdefault(record.batch, {}).setdefault(partition, record)
    found: Counter[int] = Counter()
    for copies in held.values():
        for record in copies.values():
            if any(partition in copies for partition in record.unless):
                continue
            for line in decompress_value(record.value).splitlines():
                number = orjson.loads(line)["d"].get("n")
                if isinstance(number, int):
                    found[number] += 1
    return found
