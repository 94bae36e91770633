"""Parquet: typed columns, one row an item, what it is in the metadata of the file."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from service.domain.vocabulary import Outcome
from service.formats.exports.columns import Column, Kind
from service.formats.exports.writing import Content, Sink

# Of a row group in memory; smaller ones make a file slow to read.
_GROUP_BYTES: Final = 8 * 1024 * 1024
_SOURCE: Final = ("title", "publisher", "published", "url", "locator")
_FIGURE: Final = pa.struct(
    [("low", pa.int64()), ("best", pa.int64()), ("high", pa.int64()), ("words", pa.string())]
)
_TYPES: Final[Mapping[Kind, Any]] = {
    Kind.TEXT: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.DAY: pa.date32(),
    Kind.TEXTS: pa.list_(pa.string()),
    Kind.LINES: pa.list_(
        pa.struct(
            [
                ("party", pa.string()),
                ("group", pa.string()),
                *((outcome.value, _FIGURE) for outcome in Outcome),
            ]
        )
    ),
    Kind.SOURCES: pa.list_(pa.struct([(name, pa.string()) for name in _SOURCE])),
}


class Parquet:
    """Compressed with Zstandard; hashtags stand in the metadata of each column."""

    media = "application/vnd.apache.parquet"
    suffix = "parquet"
    whole = False
    tagged = False

    def write(self, sink: Sink, content: Content) -> None:
        columns = content.subject.fields
        schema = pa.schema(
            [pa.field(c.name, _TYPES[c.kind], metadata={"hxl": c.tag}) for c in columns],
            metadata={name: _text(value) for name, value in content.about.told().items()},
        )
        waiting: list[Any] = []
        with (
            pa.PythonFile(_File(sink), mode="w") as file,
            pq.ParquetWriter(file, schema, compression="zstd") as writer,
        ):
            for items in content.chunks:
                if not items:
                    continue
                cells = zip(*map(content.subject.record, items), strict=True)
                arrays = [_array(c, told) for c, told in zip(columns, cells, strict=True)]
                waiting.append(pa.record_batch(arrays, schema=schema))
                if sum(batch.nbytes for batch in waiting) > _GROUP_BYTES:
                    writer.write_table(pa.Table.from_batches(waiting))
                    waiting.clear()
            if waiting:
                writer.write_table(pa.Table.from_batches(waiting))


def _array(column: Column, cells: Sequence[Any]) -> Any:
    if column.kind is Kind.DAY:
        return pa.array(cells, pa.string()).cast(pa.date32())
    return pa.array(cells, _TYPES[column.kind])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


class _File:
    """A sink as the file that the library wants; it only ever writes on."""

    closed = False

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._size = 0

    def write(self, data: Any) -> int:
        content = bytes(data)
        self._sink.write(content)
        self._size += len(content)
        return len(content)

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        self.closed = True
