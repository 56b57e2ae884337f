"""polars: `scan_ndjson` to Parquet, with types inferred and with types given."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.systems.parquet_peer import ParquetPeer

if TYPE_CHECKING:
    import polars


class Polars(ParquetPeer):
    """Reads the lines into a frame and writes it: faster here than its streaming engine."""

    package = "polars"
    module = "polars"

    def __init__(self, *, typed: bool = False) -> None:
        super().__init__()
        self._typed = typed
        self._schema: polars.Schema | None = None

    @property
    def name(self) -> str:
        """As `System.name`."""
        return "polars (columns given)" if self._typed else "polars"

    @property
    def note(self) -> str:
        """As `System.note`."""
        types = "is told every column and its type" if self._typed else "infers types from all rows"
        return (
            f"reads plain lines from the page cache and {types}; no digest, no page checksums, no "
            "offsets, no hash of the file; mixed types as text, nested objects as structs; fsynced"
        )

    def settings(self) -> Mapping[str, object]:
        """As `System.settings`."""
        import polars

        return {
            "polars": polars.__version__,
            "threads": polars.thread_pool_size(),
            "read_ndjson": "schema=..." if self._typed else "infer_schema_length=None",
            "write_parquet": "compression='zstd' (its default level), statistics=True",
        }

    def get_ready(self, source: Path) -> None:
        """As `ParquetPeer.get_ready`."""
        import polars

        if self._typed:
            self._schema = polars.read_ndjson(source, infer_schema_length=None).schema

    def write(self, source: Path, target: Path) -> None:
        """As `ParquetPeer.write`."""
        import polars

        if self._schema is None:
            frame = polars.read_ndjson(source, infer_schema_length=None)
        else:
            frame = polars.read_ndjson(source, schema=self._schema)
        frame.write_parquet(target, compression="zstd", statistics=True)
