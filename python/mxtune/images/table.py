"""Tables of images and labels in files: read as text first, so that codes such as ``001`` stay what they are."""

from __future__ import annotations

import os
import re
import zipfile
from collections import Counter
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Union

from ..calls import in_r
from ..errors import MxtuneError
from ..words import bullets, counted, file_name, file_size
from .arrow import frame_of
from .picture import UnreadableError
from .sniff import is_picture_name
from .stored import Stored

if TYPE_CHECKING:
    import pandas as pd

AnyFile = Union[Path, Stored]
_TEXT = (".csv", ".tsv", ".tab", ".txt")
_BOOKS, _PARQUET = (".xlsx", ".xlsm"), (".parquet", ".pq")
SUFFIXES = (*_TEXT, *_BOOKS, *_PARQUET)
_LIBRARIES = {"openpyxl": "openpyxl>=3.1", "pyarrow": "pyarrow>=14,<26"}  # from 26 on it needs NumPy 2
_MOST = 500_000_000  # bytes
_SEPARATORS = ("\t", ";", ",", "|", " ")
_NUMBER = re.compile(r"[+-]?(0|[1-9]\d*)?(\.\d*)?([eE][+-]?\d+)?")
_TRUTH = {"TRUE": True, "True": True, "true": True, "FALSE": False, "False": False, "false": False}
_MISSING_TEXTS = {"", "#N/A", "NA", "N/A", "NaN", "nan", "None", "NULL", "null"}


_OTHERS = {"<!doctype": "a web page", "<html": "a web page", "<?xml": "XML", "{": "JSON", "[{": "JSON"}
_UNREAD = (
    ".xls",
    ".xlsb",
    ".ods",
    ".json",
    ".jsonl",
    ".ndjson",
    ".rds",
    ".rdata",
    ".dta",
    ".sav",
    ".feather",
    ".arrow",
)


class Quoted(str):
    """A cell that stood in quotation marks: text, whatever it looks like."""

    __slots__ = ()


class Table(NamedTuple):
    """The cells as text (of a workbook, as it has them), None where empty; and what was remarkable.

    Where columns have types of their own (``has_types``), they are as in any data frame.
    """

    frame: pd.DataFrame
    remarks: tuple[str, ...] = ()
    has_types: bool = False


def is_table_name(name: str) -> bool:
    """Whether a file's name has the extension of a table."""
    return Path(name).suffix.lower() in SUFFIXES


def refuse_unread(file: AnyFile) -> None:
    """Require that a file is not a table of a kind that is not read.

    Raises
    ------
    MxtuneError
        It is one.
    """
    if file.suffix.lower() in _UNREAD:
        raise _unreadable(file, f"tables in {file.suffix.lower()} are not read", "Save it as .csv, .xlsx or .parquet.")


def read_table(file: AnyFile) -> Table:
    """The table in a file, also in an archive or behind an address: comma, semicolon, tab or bar; UTF-8, UTF-16 or
    Latin-1; a workbook's first sheet; Parquet.

    Raises
    ------
    MxtuneError
        It can't be read, or is not a table; or a library for it is missing.
    """
    suffix = file.suffix.lower()
    content = _content(file)
    if suffix in _PARQUET:
        return _read_parquet(file, content)
    if suffix in _BOOKS:
        return _read_workbook(file, content)
    text, remark = _decoded(file, content)
    for start, what in _OTHERS.items():
        if text.lstrip().lower().startswith(start):
            raise _unreadable(file, f"it is {what}")
    lines = _logical_lines(text)
    while len(lines) > 1 and _is_remark(lines[0]):
        del lines[0]
    if not lines:
        raise _unreadable(file, "it is empty")
    separator = _separator(lines, suffix)
    rows = [_cells(line, separator) for line in lines]
    table = _to_table(file, rows)
    return table._replace(remarks=(*((remark,) if remark else ()), *table.remarks))


def _content(file: AnyFile) -> bytes:
    try:
        if isinstance(file, Stored):
            return file.read()
        size = file.stat().st_size
        if size > _MOST:
            raise _unreadable(file, f"too large for a table: {file_size(size)}")
        return file.read_bytes()
    except UnreadableError as error:
        raise _unreadable(file, str(error)) from error
    except OSError as error:
        raise _unreadable(file, error.strerror or str(error)) from error


def typed(column: Sequence[Any], known: Sequence[str] = ()) -> list[Any]:
    """A column of labels: numbers and booleans where every cell is one and none is a code such as ``001``.

    ``NA``, ``None`` and the like mean a missing label, unless they are quoted or among the ``known`` classes.

    Examples
    --------
    >>> typed(["1", "2.5", ""]), typed(["001", "2"]), typed(["TRUE", "FALSE"])
    ([1, 2.5, None], ['001', '2'], [True, False])
    >>> typed([Quoted("NA"), "NA", "a"]), typed(["NA", "a"], known=["NA", "a"])
    (['NA', None, 'a'], ['NA', 'a'])
    """
    if not any(isinstance(cell, str) for cell in column):
        return list(column)
    empty = _MISSING_TEXTS - set(known)
    cells = [None if _is_empty(cell, empty) else cell for cell in column]
    texts = [cell for cell in cells if cell is not None]
    if texts and not known and all(isinstance(cell, str) and not isinstance(cell, Quoted) for cell in texts):
        if all(cell in _TRUTH for cell in texts):
            return [None if cell is None else _TRUTH[cell] for cell in cells]
        if all(_is_number(cell) for cell in texts):
            return [None if cell is None else _number(cell) for cell in cells]
        swapped = [cell.replace(",", ".") for cell in texts]  # a decimal comma, with semicolons between cells
        if all("." not in cell for cell in texts) and all(map(_is_number, swapped)):
            return [None if cell is None else _number(cell.replace(",", ".")) for cell in cells]
    return [str(cell) if isinstance(cell, str) else cell for cell in cells]


def _is_empty(cell: Any, empty: set[str]) -> bool:
    return cell is None or (isinstance(cell, str) and (cell == "" or (cell in empty and not isinstance(cell, Quoted))))


def _is_number(cell: str) -> bool:
    return any(map(str.isdigit, cell)) and _NUMBER.fullmatch(cell) is not None


def _number(cell: str) -> Any:
    return int(cell) if cell.lstrip("+-").isdigit() else float(cell)


def _decoded(file: AnyFile, content: bytes) -> tuple[str, Optional[str]]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace"), None
    if b"\0" in content[:4096]:
        raise _unreadable(file, "it is not a text file")
    try:
        return content.decode("utf-8-sig"), None
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace"), f"{file_name(file.name)} is not UTF-8; it is read as Latin-1."


def _logical_lines(text: str) -> list[str]:
    """Lines that hold something; a line break within quotation marks does not end one."""
    lines: list[str] = []
    open_quote = False
    for line in re.split(r"\r\n|\n|\r", text):
        if open_quote:
            lines[-1] += "\n" + line
        elif line.strip():
            lines.append(line)
        else:
            continue
        open_quote ^= line.count('"') % 2 == 1
    return lines


def _is_remark(line: str) -> bool:
    """Whether a first line is a comment, or tells Excel the separator."""
    separator_line = re.fullmatch("sep=[;,|\t]", line.strip(), re.IGNORECASE)
    return separator_line is not None or (line.startswith("#") and not any(mark in line for mark in _SEPARATORS[:-1]))


def _separator(lines: Sequence[str], suffix: str) -> str:
    """The one that splits the first lines into equally many cells, more than one; a lone column has none."""
    sample = lines[:20]
    if suffix in (".tsv", ".tab") and "\t" in sample[0]:
        return "\t"
    candidates = _SEPARATORS if suffix == ".txt" else _SEPARATORS[:-1]
    widths = {separator: [len(_cells(line, separator)) for line in sample] for separator in candidates}
    uniform = [separator for separator, counts in widths.items() if min(counts) == max(counts) > 1]
    if uniform:
        return max(uniform, key=lambda separator: (separator != " ", widths[separator][0]))
    return max(candidates[:-1], key=lambda separator: min(widths[separator]) * (widths[separator][0] > 1))


def _cells(line: str, separator: str) -> list[str]:
    if '"' not in line:
        cells = line.split() if separator == " " else line.split(separator)
        return [cell.strip() if separator == "\t" else cell.lstrip() for cell in cells]
    mark = re.escape(separator)
    pieces = re.finditer(rf'(?:^|{mark})(?: *"((?:[^"]|"")*)" *(?={mark}|$)|([^{mark}]*))', line)
    return [
        bare.lstrip() if quoted is None else Quoted(quoted.replace('""', '"')) for quoted, bare in map(_groups, pieces)
    ]


def _groups(match: re.Match[str]) -> tuple[Optional[str], str]:
    return match.group(1), match.group(2) or ""


def _to_table(file: AnyFile, rows: list[list[Any]]) -> Table:
    """A table of these rows, whose empty cells are ``""``."""
    import pandas as pd

    if all(isinstance(cell, Quoted) for row in rows for cell in row):  # then quotation marks mean nothing
        rows = [[str(cell) for cell in row] for row in rows]
    width = Counter(map(len, rows)).most_common(1)[0][0]
    remarks: tuple[str, ...] = ()
    if _has_header([[str(cell) for cell in row] for row in rows], width):
        header, *body = [[str(cell).strip() for cell in rows[0]], *rows[1:]]
        if len(header) == width - 1:  # R's write.table() leaves out the title of row names
            header = ["", *header]
    else:
        header, body = [str(number) for number in range(1, width + 1)], rows
        remarks = (f"{file_name(file.name)} has no header: its columns are called {', '.join(header)}.",)
    body = [row for row in body if any(cell != "" for cell in row)]
    uneven = [f"row {n}: {counted(len(row), 'cell')}" for n, row in enumerate(body, 1) if len(row) != len(header)]
    if uneven:
        raise MxtuneError(
            f"The table {file_name(str(file))} has rows that don't fit its {counted(len(header), 'column')}.",
            bullets(uneven),
            "If cells contain the separator, put them in quotation marks.",
        )
    if not body:
        raise _unreadable(file, "it has a header but no rows")
    places = [place for place, name in enumerate(header) if name or any(row[place] != "" for row in body)]
    if places and header[places[0]] in ("", "Unnamed: 0") and len(places) > 1:
        places = places[1:]  # names of rows, as R and pandas write them
    names = [header[place] or str(place + 1) for place in places]
    duplicates = sorted(name for name, n in Counter(names).items() if n > 1)
    if duplicates:
        raise MxtuneError(f"Two columns of the table {file_name(str(file))} have the same name.", bullets(duplicates))
    columns = {
        name: pd.Series([None if row[place] == "" else row[place] for row in body], dtype=object)
        for name, place in zip(names, places)
    }
    return Table(pd.DataFrame(columns), remarks)


def _has_header(rows: list[list[str]], width: int) -> bool:
    """Whether the first row names the columns: it holds no path of an image, and no number or cell that recurs."""
    first, rest = rows[0], rows[1:51]
    if any(map(is_picture_name, first)):
        return False
    if len(first) != width or any(
        rest and all(len(row) > place and is_picture_name(row[place]) for row in rest) for place in range(width)
    ):
        return True
    recurs = any(len(row) > place and row[place] == cell != "" for place, cell in enumerate(first) for row in rows[1:])
    return not recurs and not any(map(_is_number, first))


def _read_workbook(file: AnyFile, content: bytes) -> Table:
    """The first sheet."""
    try:
        import openpyxl

        if not zipfile.is_zipfile(BytesIO(content)):
            raise ValueError("it is no workbook of Excel 2007 or later")
        with zipfile.ZipFile(BytesIO(content)) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > _MOST:
            raise ValueError(f"too large for a table: {file_size(size)}")
        book = openpyxl.load_workbook(BytesIO(content), read_only=True, data_only=True)
        titles = [sheet.title for sheet in book.worksheets]
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # which some programs write wrong
        rows = [["" if cell is None else cell for cell in row] for row in sheet.iter_rows(values_only=True)]
    except ImportError as error:
        raise _missing(file, "openpyxl", "readxl::read_excel()", error) from error
    except Exception as error:  # a damaged file can raise anything
        raise _unreadable(file, _first_line(error)) from error
    rows = [row for row in rows if any(cell != "" for cell in row)]
    if not rows:
        raise _unreadable(file, "it is empty" if len(titles) == 1 else f'its first sheet, "{titles[0]}", is empty')
    width = max(map(len, rows))
    table = _to_table(file, [[*row, *[""] * (width - len(row))] for row in rows])
    remarks = (f'Read the first of {len(titles)} sheets: "{titles[0]}".',) if len(titles) > 1 else ()
    return table._replace(remarks=(*remarks, *table.remarks))


def _read_parquet(file: AnyFile, content: bytes) -> Table:
    """Columns, and an index that has a name. Not by fastparquet, which damaged files crash."""
    try:
        import pyarrow as pa
        import pyarrow.parquet

        frame = frame_of(pyarrow.parquet.read_table(pa.BufferReader(content)))
        frame = frame.reset_index(drop=all(name is None for name in frame.index.names))
        for place in range(frame.shape[1]):
            frame.iloc[:, place].tolist()  # damaged text fails no sooner
    except ImportError as error:
        raise _missing(file, "pyarrow", "arrow::read_parquet()", error) from error
    except Exception as error:  # a damaged file can raise anything
        raise _unreadable(file, _first_line(error)) from error
    if not len(frame):
        raise _unreadable(file, "it has no rows")
    return Table(frame, has_types=True)


def _missing(file: AnyFile, library: str, in_r_by: str, error: ImportError) -> MxtuneError:
    hint = f'Install it (pip install "{_LIBRARIES[library]}"; the extra "tables"), or save the table as .csv.'
    if in_r():
        hint = f"Read it in R ({in_r_by}) and give the data frame, or save it as .csv."
    text = f"Reading {file.suffix.lower()} needs the Python package {library}."
    return MxtuneError(text, [_first_line(error)], hint)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _unreadable(file: AnyFile, reason: str, hint: Optional[str] = None) -> MxtuneError:
    return MxtuneError(f"Can't read the table {file_name(os.fspath(file))}.", [reason], hint)
