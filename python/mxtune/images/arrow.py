"""Tables of Arrow and data sets of Hugging Face as data frames; images stay where they are until they are read."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional

from ..errors import ArgumentError, MxtuneError
from ..words import bullets, file_size, listing
from .picture import MAX_BYTES, UnreadableError
from .stored import Stored

if TYPE_CHECKING:
    import pandas as pd

_BATCH = 1000  # rows whose paths are looked at together
_NAMES = 100_000  # classes


class Cell(Stored):
    """The bytes of an image in a column, with the path that stands beside them in data sets of Hugging Face."""

    __slots__ = ("column", "path", "row")

    def __init__(self, column: Any, row: int, path: str = "") -> None:
        self.column, self.row, self.path = column, row, path

    def __fspath__(self) -> str:
        return self.path

    def read(self, first: Optional[int] = None) -> bytes:
        """Its first bytes, or all of them.

        Raises
        ------
        UnreadableError
            There are more than an image may have.
        """
        value = self.column[self.row]
        content = memoryview((value["bytes"] if _has_fields(value.type) else value).as_buffer())
        if first is None and len(content) > MAX_BYTES:
            raise UnreadableError(f"too large to be read: {file_size(len(content))}")
        return bytes(content[:first])


class _Rows:
    """A column of a data set, whose rows may be a choice of those on the disk: each is looked up when it is read."""

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset

    def __getitem__(self, row: int) -> Any:
        return self._dataset[row].column(0)[0]

    def parts(self) -> Iterator[Any]:
        for part in self._dataset.iter(_BATCH):
            yield from part.column(0).chunks


def plain(x: Any) -> Any:
    """A table of Arrow (of whichever library), or a data set, as a data frame; a column as a list; others as they are.

    Raises
    ------
    ArgumentError
        It is several data sets, or one that can only be run through.
    MxtuneError
        Its memory is not what Arrow's layout says.
    """
    if hasattr(x, "iloc"):  # pandas has the protocol, too
        return x
    dataset = _dataset(x)
    if dataset is not None:
        return dataset
    arrow = sys.modules.get("pyarrow")
    is_array = arrow is not None and isinstance(x, arrow.Array)
    return _from_arrow(x) if is_array or hasattr(x, "__arrow_c_stream__") else x


def frame_of(table: Any, names: Optional[Mapping[str, Any]] = None) -> pd.DataFrame:
    """A table of pyarrow: columns of bytes become cells, numbers of classes that have names a categorical.

    Parameters
    ----------
    names
        Those of classes, by column; if None those that the table keeps for data sets of Hugging Face.

    Raises
    ------
    MxtuneError
        Its memory is not what Arrow's layout says.
    """
    _check(table)
    twice = [name for name in dict.fromkeys(table.column_names) if table.column_names.count(name) > 1]
    if twice:
        raise ArgumentError(f"The table has several columns of the same name: {listing(twice)}.")
    images = [name for name in table.column_names if _holds_bytes(table.schema.field(name).type)]
    names = _names_in(table.schema.metadata) if names is None else names
    frame = table.drop_columns(images).to_pandas()
    columns = {name: _cells(table.column(name), table.column(name).chunks) for name in images}
    return _completed(frame, columns, names, table.column_names)


def _completed(
    frame: pd.DataFrame, images: Mapping[str, list[Any]], names: Mapping[str, Any], order: Sequence[str]
) -> pd.DataFrame:
    import pandas as pd

    for column, classes in names.items():
        if column in frame.columns:
            frame[column] = _named(frame[column], classes)
    for column, cells in images.items():
        frame[column] = pd.Series(cells, index=frame.index, dtype=object)
    return frame[[*(name for name in order if name in frame.columns)]] if images else frame


def _from_column(column: Any) -> Any:
    _check(column)
    return _cells(column, column.chunks) if _holds_bytes(column.type) else column.to_pandas().array


def _from_arrow(x: Any) -> Any:
    import pyarrow as pa

    try:
        if isinstance(x, (pa.Array, pa.ChunkedArray)):
            return _from_column(pa.chunked_array([x]) if isinstance(x, pa.Array) else x)
        try:
            return frame_of(pa.table(x))
        except pa.ArrowInvalid:  # one column, as a series of Polars
            return _from_column(pa.chunked_array(x))
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise ArgumentError("`x` is no table of Arrow with images.", [str(error).splitlines()[0]]) from error


def _dataset(x: Any) -> Any:
    """The data frame of a data set of Hugging Face, or a column of one; None for all else."""
    library = sys.modules.get("datasets")  # where it is not imported nothing is of it; users have modules of that name
    if library is None or not hasattr(library, "IterableDatasetDict"):
        return None
    if isinstance(x, (library.DatasetDict, library.IterableDatasetDict)):
        text = "`x` is several data sets, of which one is taken at a time."
        raise ArgumentError(
            text, [f"they are {listing(list(map(str, x)))}"], f'Give one, as x["{next(iter(x), "train")}"].'
        )
    if isinstance(x, library.IterableDataset):
        hint = "Keep some of its rows: datasets.Dataset.from_list([*x.take(1000)], features=x.features)."
        raise ArgumentError("`x` is a data set that can only be run through once.", hint=hint)
    column: Any = getattr(library.arrow_dataset, "Column", ())
    if isinstance(x, column) and isinstance(x.source, library.Dataset):
        return _dataset(x.source.select_columns([x.column_name]))[x.column_name].array
    if not isinstance(x, library.Dataset):
        return None
    if x.format["type"] == "custom":
        hint = "Keep what it makes, x.map(...), or take the images as they are: x.with_format(None)."
        raise ArgumentError("`x` is a data set with a transform, which can't be applied here.", hint=hint)
    _check(x.data)
    schema = x.features.arrow_schema
    images = [name for name in x.column_names if _holds_bytes(schema.field(name).type)]
    others = [name for name in x.column_names if name not in images]
    arrow = x.with_format("arrow")
    frame = arrow.select_columns(others)[:].to_pandas() if others else _empty(len(x))
    rows = {name: _Rows(arrow.select_columns([name])) for name in images}
    cells = {name: _cells(column, column.parts()) for name, column in rows.items()}
    return _completed(frame, cells, _names_in(schema.metadata), x.column_names)


def _empty(length: int) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(index=pd.RangeIndex(length))


def _check(table: Any) -> None:
    """Require that offsets point into the memory: a file of Arrow's own format, which is mapped, may say anything."""
    try:
        table.validate(full=True)
    except (ValueError, OSError) as error:  # Arrow's own are such
        raise MxtuneError("The table of Arrow is damaged.", [str(error).splitlines()[0]]) from error


def _cells(column: Any, parts: Any) -> list[Any]:
    """What a column of images holds, which comes in these parts: a cell, a path, or None for each row."""
    cells: list[Any] = []
    for part in parts:
        fields = dict(zip([field.name for field in part.type], part.flatten())) if _has_fields(part.type) else {}
        missing = fields.get("bytes", part).is_null().to_pylist()
        paths = fields["path"].to_pylist() if "path" in fields else [None] * len(part)
        for is_missing, path in zip(missing, paths):
            cells.append(path or None if is_missing else Cell(column, len(cells), path or ""))
    return cells


def _has_fields(kind: Any) -> bool:
    return hasattr(kind, "get_field_index")


def _holds_bytes(kind: Any) -> bool:
    """Whether these are images: bytes, or the pairs of bytes and path that data sets of Hugging Face keep."""
    import pyarrow.types as of

    if _has_fields(kind):
        place = kind.get_field_index("bytes")
        return place >= 0 and _holds_bytes(kind.field(place).type)
    return any(test(kind) for test in (of.is_binary, of.is_large_binary, of.is_binary_view))


def _names_in(metadata: Optional[Mapping[bytes, bytes]]) -> dict[str, Any]:
    """The names of classes by column, where a table keeps what `datasets` knows of it; a stranger may have written."""
    try:
        features = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
        return {column: names for column, feature in features.items() if (names := _class_names(feature))}
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
        return {}


def _class_names(feature: Mapping[str, Any]) -> Optional[list[str]]:
    """Those of a class, or of each of a list of classes."""
    feature = feature if feature.get("_type") == "ClassLabel" else feature.get("feature") or {}
    names = feature.get("names") if feature.get("_type") == "ClassLabel" else None
    if not isinstance(names, list) or len(names) > _NAMES or not all(isinstance(name, str) for name in names):
        return None
    return names if len({*names}) == len(names) else None


def _named(column: Any, names: Sequence[str]) -> Any:
    """Numbers of classes as the classes; -1 is none.

    Raises
    ------
    ArgumentError
        There is no class of a number.
    """
    import numpy as np
    import pandas as pd

    lists = column.dtype == object

    def numbers(values: Any) -> Any:
        return np.nan_to_num(np.asarray(values, float).ravel(), nan=-1)

    rows = [None if row is None else numbers(row) for row in column] if lists else [numbers(column)]
    codes = np.concatenate([np.zeros(0), *(row for row in rows if row is not None)])
    wrong = sorted({*codes[(codes < -1) | (codes >= len(names)) | (codes % 1 != 0)].tolist()})
    if wrong:
        text = f'The column "{column.name}" has numbers of classes beyond its {len(names)} names.'
        raise ArgumentError(text, bullets([f"{code:g}" for code in wrong], 5))
    if lists:
        named = [*names, None]  # the last is that of -1
        sets = [None if row is None else [named[code] for code in row.astype(int)] for row in rows]
        return pd.Series(sets, index=column.index, dtype=object)
    return pd.Series(pd.Categorical.from_codes(codes.astype(int), names), index=column.index)
