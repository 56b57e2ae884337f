"""pyarrow's own JSON reader, and orjson with columns gathered in Python: both to Parquet."""

from collections.abc import Mapping
from pathlib import Path

import orjson
import pyarrow as pa

from benchmarks.systems.parquet_peer import ParquetPeer

_WRITER = {"compression": "zstd", "compression_level": 1}


class ArrowJson(ParquetPeer):
    """`pyarrow.json.read_json` and `pyarrow.parquet.write_table`."""

    name = "pyarrow.json"
    note = (
        "reads plain lines from the page cache; refuses fields of mixed types; no digest, no page "
        "checksums, no page index, no offsets, no hash of the file; fsynced"
    )

    def settings(self) -> Mapping[str, object]:
        """As `System.settings`."""
        return {
            "pyarrow": pa.__version__,
            "threads": pa.cpu_count(),
            "read_json": "use_threads=False, one block (types are of all rows)",
            "write_table": _WRITER,
        }

    def get_ready(self, source: Path) -> None:
        """As `ParquetPeer.get_ready`."""
        pa.set_cpu_count(1)
        pa.set_io_thread_count(1)

    def write(self, source: Path, target: Path) -> None:
        """As `ParquetPeer.write`."""
        import pyarrow.json as reader
        import pyarrow.parquet as writer

        block = source.stat().st_size + 1
        options = reader.ReadOptions(use_threads=False, block_size=block)
        writer.write_table(reader.read_json(source, options), target, **_WRITER)


class OrjsonPivot(ParquetPeer):
    """What a careful Python program does: parse each line, append to a list per field, convert."""

    name = "orjson and lists"
    note = (
        "one Python object per value; mixed types as JSON text, integers beyond 64 bits as "
        "doubles, nested objects as structs; no digest, no page checksums, no offsets, no hash of "
        "the file; fsynced"
    )

    def settings(self) -> Mapping[str, object]:
        """As `System.settings`."""
        return {
            "orjson": orjson.__version__,
            "pyarrow": pa.__version__,
            "threads": pa.cpu_count(),
            "write_table": _WRITER,
        }

    def get_ready(self, source: Path) -> None:
        """As `ParquetPeer.get_ready`."""
        pa.set_cpu_count(1)

    def write(self, source: Path, target: Path) -> None:
        """As `ParquetPeer.write`."""
        import pyarrow.parquet as writer

        columns: dict[str, list[object]] = {}
        rows = 0
        with source.open("rb") as lines:
            for line in lines:
                for key, value in orjson.loads(line).items():
                    column = columns.get(key)
                    if column is None:
                        column = columns[key] = []
                    if len(column) < rows:
                        column.extend([None] * (rows - len(column)))
                    column.append(value)
                rows += 1
        for column in columns.values():
            column.extend([None] * (rows - len(column)))
        table = pa.table({name: _array(values) for name, values in columns.items()})
        writer.write_table(table, target, **_WRITER)


def _array(values: list[object]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if one is None else orjson.dumps(one).decode() for one in values])
