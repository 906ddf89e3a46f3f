"""Parquet files with pictures in columns, as Hugging Face data sets store them.

The schema with its metadata, the other columns, the row groups and the compression of
each column stay. A picture that failed becomes null; its row stays.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from faceanon.batch.datasets.columns import PictureColumn, picture_columns
from faceanon.batch.datasets.pictures import LARGEST, Picture, Pictures
from faceanon.errors import FaceanonError, PictureError
from faceanon.storage.names import shown

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

# Rows that are read at once.
_ROWS = 16

# Read at once of each column.
_BUFFER = 2**20

# A row group is put together in memory. One that is larger than this many bytes becomes
# several.
_LARGEST_GROUP = 2**30

# Bytes that one byte of a column may stand for; those of pictures hardly ever are two.
_MOST_UNPACKED = 50

# What Parquet calls some compressions, and what pyarrow does.
_CODECS = {"UNCOMPRESSED": "NONE", "LZ4_RAW": "LZ4"}

_VERSIONS = ("1.0", "2.4", "2.6")

Cells: TypeAlias = Mapping[int, bytes | None]
"""The pictures of a row, by the index of the column."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some rows of a row group.

    Attributes:
        group: the number of the row group.
        rows: the rows as they were read.
        cells: the pictures in them, by the index of the column and then by row; None
            for a cell that holds none.
    """

    group: int
    rows: "pa.RecordBatch"
    cells: dict[int, list[Picture | None]]

    @property
    def pictures(self) -> int:
        return sum(cell is not None for cells in self.cells.values() for cell in cells)

    @property
    def is_unread(self) -> bool:
        return False


def rewrite(
    source: BinaryIO,
    target: BinaryIO | None,
    earlier: BinaryIO | None,
    pictures: Pictures,
) -> None:
    """Do the pictures of a Parquet file.

    Args:
        source: the file.
        target: where to write to; None to write nothing.
        earlier: what an earlier run has made of it, in which some pictures are missing;
            None where there is no such file.
        pictures: does them.

    Raises:
        PictureError: it is damaged, or holds pictures where they cannot be told.
        FaceanonError: the extra 'parquet' is not installed.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415  an extra
    except ImportError as error:
        raise FaceanonError(
            "Parquet needs the extra 'parquet': pip install '.[parquet]' in the "
            "checkout"
        ) from error
    try:
        _rewrite(source, target, earlier, pictures)
    except MemoryError:
        raise
    except (pa.ArrowException, OSError) as error:
        text = " ".join(str(error).split())
        raise PictureError(f"it is damaged, or no Parquet file: {text}") from error


def _rewrite(
    source: BinaryIO,
    target: BinaryIO | None,
    earlier: BinaryIO | None,
    pictures: Pictures,
) -> None:
    file = _opened(source)
    columns = picture_columns(file.schema_arrow)
    done = _done(_opened(earlier), columns) if earlier else None
    pieces = pictures.in_order(_pieces(file, columns, done, pictures))
    with ExitStack() as stack:
        groups = None
        if target is not None:
            groups = _RowGroups(stack.enter_context(_opened_like(file, target)))
        for piece in pieces:
            rows = _finished(piece, columns, pictures)
            if groups is not None:
                groups.add(piece.group, rows)
        if groups is not None:
            groups.write()


def _opened(file: BinaryIO) -> "pq.ParquetFile":
    import pyarrow.parquet as pq  # noqa: PLC0415  an extra

    return pq.ParquetFile(
        file,
        # Without these two, whole columns of a row group would be read at once.
        buffer_size=_BUFFER,
        pre_buffer=False,
        page_checksum_verification=True,
    )


def _opened_like(file: "pq.ParquetFile", target: BinaryIO) -> "pq.ParquetWriter":
    """The output, stored as the input is."""
    import pyarrow.parquet as pq  # noqa: PLC0415  an extra

    metadata = file.metadata
    groups = range(min(metadata.num_row_groups, 1))
    columns = [
        metadata.row_group(group).column(number)
        for group in groups
        for number in range(metadata.num_columns)
    ]
    paths = [column.path_in_schema for column in columns]
    version = metadata.format_version
    return pq.ParquetWriter(
        target,
        file.schema_arrow,
        version=version if version in _VERSIONS else _VERSIONS[-1],
        compression={
            column.path_in_schema: _CODECS.get(column.compression, column.compression)
            for column in columns
        },
        use_dictionary=[
            column.path_in_schema for column in columns if column.has_dictionary_page
        ],
        write_page_index=any(column.has_offset_index for column in columns),
        # What lists of older files call what they are made of.
        use_compliant_nested_type=not any(".list.item" in path for path in paths),
    )


def _pieces(
    file: "pq.ParquetFile",
    columns: Sequence[PictureColumn],
    done: Iterator[Cells] | None,
    pictures: Pictures,
) -> Iterator[_Piece]:
    """The rows, their pictures begun."""
    row = 0
    for group in range(file.num_row_groups):
        _check_unpacked(file, group)
        batches = file.iter_batches(_ROWS, row_groups=[group], use_threads=False)
        for rows in batches:
            cells: dict[int, list[Picture | None]] = {c.index: [] for c in columns}
            values = [rows.column(column.index).to_pylist() for column in columns]
            for in_row in zip(*values, strict=True):
                earlier = next(done, {}) if done else {}
                for column, value in zip(columns, in_row, strict=True):
                    picture = _begun(
                        f"{row}/{column.name}",
                        column,
                        value,
                        earlier.get(column.index),
                        pictures,
                    )
                    cells[column.index].append(picture)
                row += 1
            yield _Piece(group, rows, cells)


def _check_unpacked(file: "pq.ParquetFile", number: int) -> None:
    """Refuse a row group that would fill the memory: a cell is read whole.

    Raises:
        PictureError: a column of it unpacks to more than pictures, or texts, would.
    """
    group = file.metadata.row_group(number)
    for column in (group.column(index) for index in range(group.num_columns)):
        packed, unpacked = column.total_compressed_size, column.total_uncompressed_size
        if unpacked > max(LARGEST, _MOST_UNPACKED * packed):
            raise PictureError(
                f"column {shown(column.path_in_schema)} unpacks {packed} bytes to "
                f"{unpacked}, as no pictures do"
            )


def _begun(
    member: str,
    column: PictureColumn,
    value: Any,
    earlier: bytes | None,
    pictures: Pictures,
) -> Picture | None:
    """The picture of a cell, or None if it holds none."""
    try:
        data = column.data(value)
    except PictureError as error:
        return pictures.fail(member, str(error))
    return None if data is None else pictures.begin(member, data, earlier)


def _done(file: "pq.ParquetFile", columns: Sequence[PictureColumn]) -> Iterator[Cells]:
    """What an earlier run has made of the pictures, row by row."""
    for rows in file.iter_batches(_ROWS, use_threads=False):
        values = [rows.column(column.index).to_pylist() for column in columns]
        for in_row in zip(*values, strict=True):
            yield {
                column.index: column.data(value)
                for column, value in zip(columns, in_row, strict=True)
            }


def _finished(
    piece: _Piece, columns: Sequence[PictureColumn], pictures: Pictures
) -> "pa.RecordBatch":
    """The rows with what became of their pictures."""
    import pyarrow as pa  # noqa: PLC0415  an extra

    # Row by row, as they were begun.
    outputs: dict[int, list[Any]] = {column.index: [] for column in columns}
    values = [piece.rows.column(column.index).to_pylist() for column in columns]
    for row, in_row in enumerate(zip(*values, strict=True)):
        for column, value in zip(columns, in_row, strict=True):
            picture = piece.cells[column.index][row]
            output = value
            if picture is not None:
                path = column.path(value)
                renamed = pictures.suffixed(path) if path else path
                output = column.with_data(value, pictures.end(picture), renamed)
            outputs[column.index].append(output)
    arrays = list(piece.rows.columns)
    for column in columns:
        arrays[column.index] = pa.array(outputs[column.index], column.type)
    return pa.RecordBatch.from_arrays(arrays, schema=piece.rows.schema)


class _RowGroups:
    """Puts rows together to the row groups that they were in."""

    def __init__(self, output: "pq.ParquetWriter") -> None:
        self._output = output
        self._group = 0
        self._rows: list[pa.RecordBatch] = []

    def add(self, group: int, rows: "pa.RecordBatch") -> None:
        """Take the next rows, which are in this row group."""
        size = sum(batch.nbytes for batch in self._rows)
        if group != self._group or size > _LARGEST_GROUP:
            self.write()
        self._group = group
        self._rows.append(rows)

    def write(self) -> None:
        """Write what there is as a row group."""
        import pyarrow as pa  # noqa: PLC0415  an extra

        if self._rows:
            table = pa.Table.from_batches(self._rows)
            self._output.write_table(table, max(table.num_rows, 1))
        self._rows = []
