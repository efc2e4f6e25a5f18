"""Each row of the table in `mxtune.border`, by each way there is; `test_rhost.py` runs this in a process of its own."""

from __future__ import annotations

import datetime as dt
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
import PIL.Image
import pytest
import rpy2.robjects as ro
from rpy2.robjects.conversion import localconverter

import mxtune
import mxtune.rhost as rh

pytestmark = pytest.mark.filterwarnings("error")

MATRIX = "matrix(c(1, 2, 3, 4, 5, 6), 2"
FRAME, ONE_TWO = "{d <- data.frame(a = 1:2);", {"a": [1, 2]}
WIDE = "structure({}, class = 'integer64')"
BITS = repr(np.array([2**60 + 1]).view(np.float64)[0].item())  # as integer64 keeps it
BERLIN = pd.Timestamp("2024-07-01 14:00", tz="Europe/Berlin")
DATES = pd.DataFrame(
    {
        **ONE_TWO,
        "m.1": np.array(["NaT", "1970-01-02"], "datetime64[s]"),
        "m.2": np.array(["1970-01-03", "1970-01-04"], "datetime64[s]"),
    }
)
ROWS: list[tuple[Any, str]] = [  # a value of Python, and R code of the same
    (None, "NULL"),
    (True, "TRUE"),
    (3, "3L"),
    (2.5, "2.5"),
    (1 + 2j, "1+2i"),
    ("ä\u4e16", "'\\u00e4\\u4e16'"),
    (pd.NA, "NA"),
    (["a", None, ""], "c('a', NA, '')"),
    (np.array([1, 2, 3]), "1:3"),
    (np.array([True, False]), "c(TRUE, FALSE)"),
    (np.array([0.5, np.nan, np.inf]), "c(0.5, NaN, Inf)"),
    (np.array([1, 2j]), "c(1+0i, 2i)"),
    (np.zeros(0), "numeric()"),
    (pd.array([1, None], dtype="Int64"), "c(1L, NA)"),
    (pd.array([True, None], dtype="boolean"), "c(TRUE, NA)"),
    (np.array([[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]), f"{MATRIX})"),
    (np.arange(24).reshape(2, 3, 4), "aperm(array(0:23, 4:2))"),
    (np.array([["a", "b"]], object), "matrix(c('a', 'b'), 1)"),
    (pd.Categorical(["b", None, "a"], ["z", "b", "a"]), "factor(c('b', NA, 'a'), c('z', 'b', 'a'))"),
    (pd.Categorical(["b"], ["a", "b"], ordered=True), "factor('b', c('a', 'b'), ordered = TRUE)"),
    (pd.DataFrame({"a": [1, 2], "b": ["x", None]}), "data.frame(a = 1:2, b = c('x', NA))"),
    (pd.DataFrame({"a": [1.5]}, index=["r"]), "data.frame(a = 1.5, row.names = 'r')"),
    (pd.DataFrame({"f": pd.Categorical(["u"], ["v", "u"])}), "data.frame(f = factor('u', c('v', 'u')))"),
    (pd.Series([1.0, 2.0], ["u", "v"]), "c(u = 1, v = 2)"),
    (dt.date(2024, 2, 29), "as.Date('2024-02-29')"),
    (np.array(["2024-01-01", "NaT"], "datetime64[D]"), "as.Date(c('2024-01-01', NA))"),
    (pd.Timestamp("2024-03-31 02:30", tz="UTC"), "as.POSIXct('2024-03-31 02:30:00', tz = 'UTC')"),
    (
        pd.DatetimeIndex(["2024-07-01 12:00", None], tz="Europe/Berlin"),
        "as.POSIXct(c('2024-07-01 12:00:00', NA), tz = 'Europe/Berlin')",
    ),
    (pd.Timedelta(hours=36), "as.difftime(129600, units = 'secs')"),
    (np.array([90, "NaT"], "timedelta64[s]"), "as.difftime(c(90, NA), units = 'secs')"),
    (b"ab\x00", "as.raw(c(0x61, 0x62, 0))"),
    ({"a": 1, "b": "x", "c": [None, "z"]}, "list(a = 1L, b = 'x', c = c(NA, 'z'))"),
    ([1, "a", None, []], "list(1L, 'a', NULL, list())"),
]
TO_R: list[tuple[Any, str]] = [  # what does not come back as it was
    (2**40, "2^40"),
    ([1.5, pd.NA], "c(1.5, NA)"),
    ((1, 2), "1:2"),
    (range(3), "0:2"),
    (np.float32(0.5), "0.5"),
    (np.array([1, 2**40]), "c(1, 2^40)"),
    (pd.Series([1.5, np.nan]), "c(1.5, NA)"),
    (dt.datetime(2024, 7, 1, 12), "as.POSIXct('2024-07-01 12:00:00', tz = 'UTC')"),
    (PurePosixPath("a/b.png"), "'a/b.png'"),
    (PIL.Image.new("L", (2, 1), 51), "array(0.2, c(1, 2, 3))"),
    (2**53, "2^53"),
    (2**60 + 1, WIDE.format(BITS)),
    (np.array([2**60 + 1, 5]), WIDE.format(f"c({BITS}, 2.5e-323)")),
    (pd.array([2**60 + 1, None], dtype="Int64"), WIDE.format(f"c({BITS}, -0.0)")),
    (pd.DataFrame({"k": np.array([2**60 + 1], np.uint64)}), f"data.frame(k = {WIDE.format(BITS)})"),
    (np.datetime64("2024-07-01T12:00", "ns"), "as.POSIXct('2024-07-01 12:00:00', tz = 'UTC')"),
    ([dt.timedelta(days=1), pd.NaT], "as.difftime(c(86400, NA), units = 'secs')"),
    ([pd.NaT], "as.POSIXct(NA, tz = 'UTC')"),
    ([BERLIN, BERLIN.tz_convert("UTC")], "as.POSIXct(rep('2024-07-01 12:00:00', 2), tz = 'UTC')"),
    ([BERLIN, None], "as.POSIXct(c('2024-07-01 14:00:00', NA), tz = 'Europe/Berlin')"),
    (BERLIN.tz_convert("+02:00"), "as.POSIXct('2024-07-01 14:00:00', tz = 'Etc/GMT-2')"),
    (BERLIN.tz_convert("+05:30"), "as.POSIXct('2024-07-01 12:00:00', tz = 'UTC')"),
    (
        pd.DataFrame({"t": pd.Series([BERLIN, BERLIN.tz_convert("UTC")], dtype=object)}),
        "data.frame(t = as.POSIXct(rep('2024-07-01 12:00:00', 2), tz = 'UTC'))",
    ),
    (pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_product([["m"], ["a", "b"]])), "data.frame(m.a = 1L, m.b = 2L)"),
    (
        pd.DataFrame({"a": [1, 2]}, index=pd.MultiIndex.from_tuples([("u", 1), ("v", 2)])),
        "data.frame(a = 1:2, row.names = c('u.1', 'v.2'))",
    ),
    ("\udcff.png", r"'\\xff.png'"),  # a name of a file that is no text
    ("\ud800", r"'\\ud800'"),
]
FROM_R: list[tuple[str, Any]] = [
    ("NA_integer_", pd.NA),
    ("NA_character_", pd.NA),
    ("NA_real_", float("nan")),
    ("c(a = TRUE)", pd.Series([True], ["a"])),
    (
        f"{MATRIX}, dimnames = list(NULL, c('x', 'y', 'z')))",
        pd.DataFrame([[1.0, 3, 5], [2, 4, 6]], columns=list("xyz")),
    ),
    ("table(c('a', 'b', 'a'))", pd.Series([2, 1], ["a", "b"])),
    ("as.POSIXlt('2024-07-01 12:00:00', tz = 'UTC')", pd.Timestamp("2024-07-01 12:00", tz="UTC")),
    ("structure(c(5e-324, 1e-323), class = 'integer64')", np.array([1, 2])),
    ("structure(1:2, class = 'unknown to us')", np.array([1, 2])),
    ("I(list(1, 'a'))", [1.0, "a"]),
    ("addNA(factor(c('b', NA, 'a')))", pd.Categorical(["b", None, "a"], ["a", "b"])),
    ("factor(c('b', NA), exclude = NULL, levels = c(NA, 'b'))", pd.Categorical(["b", None], ["b"])),
    (r"c('caf\xe9', 'a')", [r"caf\xe9", "a"]),
    (r"{x <- 'caf\xe9'; Encoding(x) <- 'bytes'; x}", r"caf\xe9"),
    (r"{x <- 'caf\xe9'; Encoding(x) <- 'latin1'; x}", "café"),
    (r"factor('caf\xe9')", pd.Categorical([r"caf\xe9"])),
    (r"c('caf\xe9' = 1)", pd.Series([1.0], [r"caf\xe9"])),
    ("matrix(list(1, 'a', NULL, 2), 2)", np.array([[1.0, None], ["a", 2.0]], object)),
    ("cars[2:3, ]", pd.DataFrame({"speed": [4.0, 7], "dist": [10.0, 4]}, [2, 3])),
    ("data.frame(a = 1:2)[0]", pd.DataFrame(index=range(2), columns=pd.Index([], dtype=object))),
    (
        f"{FRAME} d$u <- data.frame(x = 3:4, y = c('p', NA)); d}}",
        pd.DataFrame({**ONE_TWO, "u.x": [3, 4], "u.y": ["p", None]}),
    ),
    (
        f"{FRAME} d$u <- data.frame(x = 3:4); d$u$v <- data.frame(y = 5:6); d}}",
        pd.DataFrame({**ONE_TWO, "u.x": [3, 4], "u.v.y": [5, 6]}),
    ),
    (f"{FRAME} d$u <- data.frame(x = 3:4)[0]; d}}", pd.DataFrame(ONE_TWO)),
    (f"{FRAME} d$m <- {MATRIX}); d}}", pd.DataFrame({**ONE_TWO, "m.1": [1.0, 2], "m.2": [3.0, 4], "m.3": [5.0, 6]})),
    (
        "aggregate(x ~ g, list(x = c(1, 3, 5), g = c('a', 'a', 'b')), function(x) c(mean = mean(x), n = length(x)))",
        pd.DataFrame({"g": ["a", "b"], "x.mean": [2.0, 5], "x.n": [2.0, 1]}),
    ),
    (f"{FRAME} d$m <- structure(c(NA, 1:3), dim = c(2, 2), class = 'Date'); d}}", DATES),
    (
        f"{FRAME} d$l <- matrix(list(1, 'a', NULL, 2), 2); d}}",
        pd.DataFrame({**ONE_TWO, "l.1": [1.0, "a"], "l.2": np.array([None, 2.0], object)}),
    ),
    (
        f"{FRAME} d$t <- as.POSIXlt(c('2024-07-01', NA), tz = 'UTC'); d}}",
        pd.DataFrame({**ONE_TWO, "t": [pd.Timestamp("2024-07-01", tz="UTC"), pd.NaT]}),
    ),
]


class Box:
    """An object of Python that R calls by reticulate."""

    held: Any = None

    def put(self, y: Any) -> None:
        self.held = y[0]

    def get(self) -> Any:
        return self.held


def assert_same(value: Any, expected: Any) -> None:
    """The same kind and content; what pandas calls a string, and its unit of time, depends on its version."""
    if isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(value, expected, check_dtype=False, check_categorical=False)
    elif isinstance(expected, pd.Series):
        pd.testing.assert_series_equal(value, expected, check_names=False)
    elif isinstance(expected, (pd.Categorical, pd.Index)):
        assert type(value) is type(expected)
        pd.testing.assert_series_equal(
            pd.Series(value), pd.Series(expected), check_dtype=False, check_categorical=False
        )
        assert getattr(value, "ordered", None) == getattr(expected, "ordered", None)
    elif isinstance(expected, (np.ndarray, pd.api.extensions.ExtensionArray)):
        assert type(value) is type(expected)
        assert value.dtype.kind == expected.dtype.kind
        np.testing.assert_array_equal(pd.isna(value), pd.isna(expected))
        assert (np.asarray(value)[~pd.isna(value)] == np.asarray(expected)[~pd.isna(expected)]).all()
    elif expected is pd.NA or (isinstance(expected, float) and np.isnan(expected)):
        assert value is expected or (isinstance(value, float) and np.isnan(value))
    else:
        assert type(value) is type(expected)
        assert value == expected


def rows_into_r() -> list[Any]:
    return [pytest.param(value, code, id=code) for value, code in [*ROWS, *TO_R]]


def rows_out_of_r() -> list[Any]:
    return [pytest.param(code, value, id=code) for code, value in [*((code, value) for value, code in ROWS), *FROM_R]]


@pytest.mark.parametrize(("value", "code"), rows_into_r())
def test_a_value_of_python_is_the_same_in_r_by_every_way(value: Any, code: str) -> None:
    box = Box()
    box.held = value
    plain = "function(x) if (is.data.frame(x)) as.data.frame(x) else x"  # by reticulate it is a tibble
    assert rh.eval(f"identical(x, {code})", x=value), "rpy2"
    assert rh.eval(f"identical(({plain})(mxtune:::engine_call('get', box)), {code})", box=box), "reticulate"
    with localconverter(rh.converter):
        ro.globalenv["x"] = value
    assert rh.eval(f"identical(x, {code})"), "rpy2's converter"


@pytest.mark.parametrize(("code", "value"), rows_out_of_r())
def test_a_value_of_r_is_the_same_in_python_by_every_way(code: str, value: Any) -> None:
    box = Box()
    assert_same(rh.eval(code), value)
    rh.eval(f"mxtune:::engine_call('put', box, list(y = list({code})))", box=box)
    assert_same(box.held, value)
    with localconverter(rh.converter):
        assert_same(ro.r(f"list({code})")[0], value)


OBJECTS = {
    "mximages": lambda: mxtune.mximages(mxtune.mxexample("fashion")),
    "mxnetwork": lambda: mxtune.mxnetwork("lenet"),
    "python.builtin.object": Box,
}


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_of_python_is_the_same_object_in_r_and_back_by_every_way(name: str) -> None:
    value, box = OBJECTS[name](), Box()
    box.held = value
    assert rh.eval(f"inherits(x, '{name}')", x=value)
    assert rh.eval("list(x)", x=value)[0] is value
    back = rh.eval(
        "{x <- mxtune:::engine_call('get', box); mxtune:::engine_call('put', box, list(y = list(x))); x}", box=box
    )
    assert back is value
    assert box.held is value
    with localconverter(rh.converter):
        ro.globalenv["x"] = value
        assert ro.globalenv["x"] is value
