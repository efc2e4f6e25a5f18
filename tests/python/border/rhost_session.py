"""R inside pytest: what crosses, what runs, what is said. `test_rhost.py` runs this file in a process of its own."""

from __future__ import annotations

import datetime as dt
import logging
import resource
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rpy2.robjects as ro
from rpy2.rinterface import MissingArg
from rpy2.rinterface_lib.embedded import RRuntimeError
from rpy2.robjects.conversion import get_conversion, localconverter

import mxtune
import mxtune.rhost as rh
from mxtune import Model, mxexample, mxtrain
from mxtune.errors import ArgumentError, RError, RHostError, RQuitError, RWarning

FOLDER = str(mxexample("fashion"))


@pytest.fixture(scope="session")
def model() -> Model:
    return mxtrain(FOLDER, net="lenet", tune="all", epochs=1, seed=1, verbose=0)


# ---- models


def test_a_model_in_r_and_back_is_the_same_object(model: Model) -> None:
    fit = rh.r(model)
    assert fit.classes == ("mxmodel",)
    assert "mxmodel lenet: 10 classes" in repr(fit)
    assert rh.py(fit) is model
    assert rh.eval("list(a = fit, 1)$a", fit=fit) is model


def test_sets_of_pictures_and_networks_cross_too() -> None:
    images, network = mxtune.mximages(FOLDER), mxtune.mxnetwork("lenet")
    assert rh.r(images).classes == ("mximages",)
    assert rh.py(rh.r(images)) is images
    assert rh.py(rh.r(network)) is network
    assert rh.call("length", images) == len(images)


def test_a_model_to_r_and_back_costs_no_copy_of_its_weights() -> None:
    network = mxtune.mxnetwork("efficientnet_lite0").replace_head(10)
    large = Model(network, "classification", [f"class {i}" for i in range(10)])
    rh.py(rh.r(large))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(20):
        assert rh.py(rh.r(large)) is large
    weights = sum(array.nbytes for array in network.params.values())
    assert weights > 12e6
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < weights / 2


def test_every_method_of_the_r_package_works_on_it(model: Model, tmp_path: Path) -> None:
    ours, theirs = model.predict(FOLDER, type="prob"), model.r.predict(FOLDER, type="prob")
    assert list(theirs.columns) == [f".{name}" for name in ours.columns]
    np.testing.assert_array_equal(ours.iloc[:, 2:].to_numpy(), theirs.iloc[:, 2:].to_numpy())
    assert list(theirs[".pred_class"].cat.categories) == list(model.levels)
    assert list(theirs[".pred_class"]) == list(ours["pred_class"])
    assert "trained on" in repr(model.r.summary())
    assert list(model.r.tidy().columns) == list(model.history.columns)
    assert model.r.glance()["classes"][0] == 10
    confusion = model.r.call("mxconfusion", FOLDER)
    np.testing.assert_array_equal(confusion.to_numpy(), model.confusion(FOLDER).to_numpy())
    assert list(confusion.index) == list(model.levels)
    rh.call("mxsave", model, str(tmp_path / "m.mxt"))
    assert mxtune.mxload(tmp_path / "m.mxt").levels == model.levels
    assert isinstance(rh.call("mxtune::mxload", str(tmp_path / "m.mxt")), Model)


def test_a_plot_of_r_is_a_file_or_a_picture(model: Model, tmp_path: Path) -> None:
    for name, start in (("p.png", b"\x89PNG"), ("p.pdf", b"%PDF"), ("p.svg", b"<?xml"), ("p.jpg", b"\xff\xd8")):
        model.r.plot(tmp_path / name, width=3, height=2)
        assert (tmp_path / name).read_bytes().startswith(start)
    assert model.r.plot(width=3, height=2).size == (432, 288)
    assert rh.eval("is.null(dev.list())")
    with pytest.raises(ArgumentError, match="must end in"):
        model.r.plot(tmp_path / "p.doc")


def test_a_model_that_r_trains_in_this_process_is_one_of_python(capsys: pytest.CaptureFixture[str]) -> None:
    epochs: list[int] = []
    found = rh.eval(
        """
        seen <- 0
        fit <- mxtune::mxtrain(folder, net = "lenet", tune = "all", epochs = 2, seed = 1, verbose = 1,
          callbacks = list(function(epoch, metrics) seen <<- seen + epoch, both))
        list(fit = fit, seen = seen)
        """,
        folder=FOLDER,
        both=lambda epoch, _: epochs.append(int(epoch)),
    )
    assert isinstance(found["fit"], Model)
    assert found["seen"] == 3
    assert epochs == [1, 2]
    assert "all 2/2" in capsys.readouterr().err
    same = mxtrain(FOLDER, net="lenet", tune="all", epochs=2, seed=1, verbose=0)
    for name, array in same.network.params.items():
        np.testing.assert_array_equal(array, found["fit"].network.params[name])


# ---- values

ARRAYS = [
    np.asfortranarray(np.arange(6).reshape(2, 3)),
    np.arange(20.0).reshape(4, 5)[::2, ::-1],
    np.arange(12, dtype=np.float32)[::-3],
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.dtype}{a.shape}")
def test_an_array_comes_back_as_it_was_however_it_lies_in_memory(array: np.ndarray) -> None:
    np.testing.assert_array_equal(rh.py(rh.r(array)), array)


def test_rows_and_columns_are_where_they_belong() -> None:
    array = np.arange(24.0).reshape(2, 3, 4)
    assert rh.eval("x[2, 1, 4]", x=array) == array[1, 0, 3]
    assert rh.eval("array(1:24, c(2, 3, 4))")[1, 2, 3] == 24
    named = rh.eval("matrix(1:6, 2, dimnames = list(c('a', 'b'), c('x', 'y', 'z')))")
    assert named.loc["b", "x"] == 2


def test_na_of_each_type_is_missing_in_python() -> None:
    assert rh.eval("NA") is pd.NA
    assert rh.eval("NA_integer_") is pd.NA
    assert rh.eval("NA_character_") is pd.NA
    assert np.isnan(rh.eval("NA_real_"))
    assert rh.eval("c(1L, NA)").isna().tolist() == [False, True]
    assert rh.eval("c(TRUE, NA)").isna().tolist() == [False, True]
    assert rh.eval("c('a', NA)") == ["a", None]
    frame = rh.eval("data.frame(i = c(1L, NA), d = c(1, NA), s = c('a', NA), l = c(NA, TRUE))")
    assert frame.isna().sum().tolist() == [1, 1, 1, 1]
    assert rh.call("sapply", frame, rh.eval("function(column) sum(is.na(column))")).tolist() == [1, 1, 1, 1]
    assert rh.call("is.na", [pd.NA, 1]).tolist() == [True, False]
    missing, not_a_number = rh.eval("is.na(x)", x=np.array([np.nan])), rh.eval("is.nan(x)", x=np.array([np.nan]))
    assert missing
    assert not_a_number
    assert not rh.eval("is.nan(x$v)", x=pd.DataFrame({"v": [np.nan]}))


def test_factors_keep_the_order_of_their_levels() -> None:
    factor = rh.eval("factor(c('b', NA, 'a'), levels = c('z', 'b', 'a'), ordered = TRUE)")
    assert isinstance(factor, pd.Categorical)
    assert list(factor.categories) == ["z", "b", "a"]
    assert factor.ordered
    assert list(factor.codes) == [1, -1, 2]
    assert rh.call("levels", factor) == ["z", "b", "a"]
    assert rh.call("is.ordered", factor)
    assert rh.call("as.integer", factor).to_numpy(na_value=0).tolist() == [2, 0, 3]


def test_a_data_frame_comes_back_as_it_was() -> None:
    frame = pd.DataFrame(
        {
            "i": [1, 2],
            "big": [2**40, 1],
            "f": [1.5, np.nan],
            "s": ["a", None],
            "b": [True, False],
            "c": pd.Categorical(["z", None], categories=["z", "y"]),
            "t": pd.to_datetime(["2024-01-01 10:00:00.5", None], utc=True),
            "n": pd.array([1, None], dtype="Int64"),
            "d": np.array(["2024-01-01", "NaT"], "datetime64[s]"),
        },
        index=["first", "second"],
    )
    back = rh.py(rh.r(frame))
    assert rh.call("sapply", frame, rh.eval("function(x) class(x)[1]")).tolist() == (
        ["integer", "numeric", "numeric", "character", "logical", "factor", "POSIXct", "integer", "Date"]
    )
    same = [name for name in frame.columns if name != "big"]  # R's whole numbers have 32 bits
    pd.testing.assert_frame_equal(back[same], frame[same], check_dtype=False, check_categorical=False)
    assert back["big"].tolist() == [2**40, 1]
    assert list(back["c"].cat.categories) == ["z", "y"]
    assert back.dtypes["n"] == "Int64"


def test_frames_without_rows_or_columns_keep_their_shape() -> None:
    assert rh.eval("cars[0, ]").shape == (0, 2)
    assert rh.eval("cars[, 0]").shape == (50, 0)
    assert rh.call("dim", pd.DataFrame({"a": []})).tolist() == [0, 1]
    assert rh.eval("tibble::tibble(a = 1:2)")["a"].tolist() == [1, 2]


def test_times_without_a_zone_keep_their_clock() -> None:
    noon = dt.datetime(2024, 7, 1, 12, 0, 0, 250000)
    assert rh.call("format", noon, "%Y-%m-%d %H:%M:%OS2") == "2024-07-01 12:00:00.25"
    assert rh.py(rh.r(noon)) == pd.Timestamp(noon, tz="UTC")
    assert rh.eval("as.POSIXlt('2024-07-01 12:00:00', tz = 'UTC')") == pd.Timestamp("2024-07-01 12:00", tz="UTC")
    assert rh.eval("as.difftime(90, units = 'mins')") == pd.Timedelta(minutes=90)


def test_tables_and_named_vectors_keep_their_names() -> None:
    assert rh.eval("table(c('a', 'b', 'a'))").to_dict() == {"a": 2, "b": 1}
    assert rh.eval("c(u = 1, v = 2)").to_dict() == {"u": 1.0, "v": 2.0}
    assert rh.call("names", pd.Series([1, 2], index=["u", "v"])) == ["u", "v"]


def test_what_python_has_not_prints_as_in_r_and_gives_its_parts() -> None:
    fit = rh.eval("lm(dist ~ speed, cars)")
    assert "Coefficients:" in repr(fit)
    assert fit["coefficients"]["speed"] == pytest.approx(3.932409)
    assert rh.call("class", fit) == "lm"
    assert repr(rh.eval("quote(x + y)")) == "x + y"
    assert list(rh.eval("list(1, b = 2)").classes) == ["list"]


def test_any_object_of_python_can_be_kept_by_r() -> None:
    class Mine:
        pass

    mine = Mine()
    assert rh.py(rh.r(mine)) is mine
    assert rh.eval("list(x)", x=mine)[0] is mine


def test_100_000_predictions_cross_and_come_back(model: Model) -> None:
    rows = 100_000
    probabilities = np.random.default_rng(0).dirichlet(np.ones(10), rows)
    frame = pd.DataFrame(probabilities, columns=[f"pred_{level}" for level in model.levels])
    frame.insert(0, "pred_class", pd.Categorical.from_codes(probabilities.argmax(axis=1), list(model.levels)))
    frame.insert(0, "file", [f"photos/{number}.jpg" for number in range(rows)])
    pd.testing.assert_frame_equal(rh.py(rh.r(frame)), frame, check_dtype=False, check_categorical=False)


LABELS = {"counted": [0, 1], "picked": [7, 3], "names": ["u", "v"], "digits": ["3", "5"]}


@pytest.mark.parametrize("name", LABELS)
def test_the_index_of_a_frame_comes_back(name: str) -> None:
    frame = pd.DataFrame({"a": [1.5, 2.5]}, index=LABELS[name])
    back = rh.py(rh.r(frame))
    assert back.index.tolist() == LABELS[name]
    assert rh.eval("rownames(frame)", frame=frame) == (
        ["1", "2"] if name == "counted" else list(map(str, LABELS[name]))
    )


def test_a_tibble_of_the_reticulate_way_counts_its_rows() -> None:
    class Box:
        frame = pd.DataFrame({"a": [1]}, index=[7])

    kind, rows = rh.eval("{x <- mxtune:::engine_call('frame', box); list(class(x)[1], rownames(x))}", box=Box())
    assert (kind, rows) == ("tbl_df", "1")


REFUSED = {  # what has no place in R: its name, the reason
    "NUL": (pd.DataFrame({"k": ["a", "a\0b"]}), "x$k", "ends at a NUL"),
    "NUL in a name": (pd.DataFrame({"a\0b": [1]}), "x", "ends at a NUL"),
    "NUL deep down": ({"u": [1, {"v": ["a\0b"]}]}, "x$u[[2]]$v", "ends at a NUL"),
    "beyond 64 bits": (pd.DataFrame({"k": [2**64, 1]}), "x$k", "beyond 64 bits"),
    "uint64": (np.array([2**63], np.uint64), "x", "beyond 64 bits"),
    "rounded": (pd.DataFrame({"k": pd.Series([2**53 + 1, 0.5], dtype=object)}), "x$k", "would round it"),
    "with and without a zone": ([dt.datetime(2024, 1, 1), pd.Timestamp("2024", tz="UTC")], "x", "without one"),
    "a name of rows twice": (pd.DataFrame({"k": [1, 2]}, index=["u", "u"]), "x$row.names", "'u' more than once"),
    "a number of rows twice": (pd.DataFrame({"k": [1, 2]}, index=[0, 0]), "x$row.names", "'0' more than once"),
    "a name of rows missing": (pd.DataFrame({"k": [1, 2]}, index=["u", None]), "x$row.names", "one is missing"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_r_has_no_room_for_is_named(name: str) -> None:
    value, where, reason = REFUSED[name]
    with pytest.raises(RHostError, match=reason) as caught:
        rh.eval("x", x=value)
    assert caught.value.message == f"Can't carry `{where}` into R."


def test_a_list_that_holds_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(RHostError, match=r"Can't carry `x\[\[1\]\]") as caught:
        rh.eval("x", x=endless)
    assert len(caught.value.message) < 100


NOT_IN_PYTHON = {  # R code of a data frame, its column k, the reason
    "a class of lists": (
        "{d <- data.frame(a = 1:2); d$k <- numeric_version(c('1.2', '3')); d}",
        "class numeric_version",
    ),
    "deep down": (
        "{d <- data.frame(a = 1); d$u <- data.frame(b = 1); d$u$k <- numeric_version('3'); d}",
        "class numeric",
    ),
    "a broken factor": ("data.frame(k = structure(9L, levels = 'a', class = 'factor'))", "beyond its 1 levels"),
    "far away": ("data.frame(k = .POSIXct(1e20))", "290,000 years"),
}


@pytest.mark.parametrize("name", NOT_IN_PYTHON)
def test_what_pandas_has_no_room_for_is_named(name: str) -> None:
    code, reason = NOT_IN_PYTHON[name]
    with pytest.raises(RHostError, match=reason) as caught:
        rh.eval(code)
    assert caught.value.message == f"Can't carry `{'u.k' if name == 'deep down' else 'k'}` out of R."


def test_what_is_no_text_is_read_in_every_way_r_says_it(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.warns(RWarning, match=r"caf\\xe9"):
        assert rh.eval(r"warning('caf\xe9'); 1") == 1
    with pytest.raises(RError, match="caf"):  # where R's own stop() cuts it
        rh.eval(r"stop('caf\xe9')")
    with caplog.at_level(logging.INFO, "mxtune.rhost"):
        rh.eval(r"message('caf\xe9')")
    assert [record.getMessage() for record in caplog.records] == [r"caf\xe9"]
    rh.eval(r"cat('caf\xe9\n')")
    assert capsys.readouterr().out == "caf\\xe9\n"
    assert rh.eval("f(x)", f=lambda x: x, x="café") == "café"
    assert rh.eval(r"f('caf\xe9')", f=lambda x: x) == r"caf\xe9"
    assert "caf" in repr(
        rh.eval(r"{print.oddly <- function(x, ...) cat(x[[1]]); structure(list('caf\xe9'), class = 'oddly')}")
    )


# ---- running


def test_call_takes_python_names_for_names_with_dots() -> None:
    assert rh.call("mean", [1.0, float("nan"), 3.0], na_rm=True) == 2
    assert rh.call("stats::sd", [1, 2, 4, 5]) == pytest.approx(1.8257418583505538)
    assert rh.call("+", 1, 2) == 3
    assert rh.call(rh.eval("function(a_b) a_b"), a_b=4) == 4


def test_a_missing_argument_of_rpy2_is_left_to_r() -> None:
    assert rh.call("paste", "a", "b", sep=MissingArg) == "a b"


def test_eval_with_variables_leaves_the_workspace_alone() -> None:
    assert rh.eval("kept <- x + 1; kept", x=1) == 2
    assert not rh.eval("exists('kept')")
    rh.eval("kept <- 5")
    assert rh.eval("kept") == 5
    rh.eval("rm(kept)")


def test_functions_go_both_ways() -> None:
    assert rh.call("sapply", [1, 2, 3], lambda x: x**2).tolist() == [1, 4, 9]
    assert rh.eval("function(x, by = 2) x * by")(4, by=3) == 12
    nested = rh.call("sapply", [1, 2], lambda x: rh.call("sum", [x, rh.eval("1 + 1")]))
    assert nested.tolist() == [3, 4]


def test_an_error_of_r_has_its_own_text_and_call() -> None:
    with pytest.raises(RError, match="R stopped in f\\(3\\): bad 3") as caught:
        rh.eval("f <- function(x) stop('bad ', x); f(3)")
    assert (caught.value.text, caught.value.call) == ("bad 3", "f(3)")
    with pytest.raises(RError) as caught:
        rh.eval("mxtune::mximages('no such folder')")
    assert "mxtune_picture_error" in caught.value.classes
    with pytest.raises(RError, match="unexpected end of input"):
        rh.eval("1 +")
    with pytest.raises(RError, match="there is no package called"):
        rh.call("nosuchpackage::f", 1)


QUITS = {
    "quit": ("quit(status = 3)", 3),
    "q": ("q('no')", 0),
    "of base": ("base::q(status = 3)", 3),
    "caught": ("tryCatch(try(quit(status = 3)), error = identity, condition = identity)", 3),
    "in a file": ("{f <- tempfile(); writeLines('quit(status = 3)', f); source(f)}", 3),
    "by reticulate": ("reticulate::py_call(reticulate::r_to_py(function(x) quit(status = 3)), 1)", 3),
    "in a function of Python": ("sapply(1, f)", 4),
    "in training": (
        "mxtune::mxtrain(folder, net = 'lenet', tune = 'all', epochs = 9, callbacks = function(...) q(status = 5))",
        5,
    ),
}


@pytest.mark.parametrize("name", QUITS)
def test_quit_in_r_code_is_an_error_with_its_status(name: str) -> None:
    code, status = QUITS[name]
    with pytest.raises(RQuitError, match=f"quit\\(status = {status}\\)") as caught:
        rh.eval(f"{{{code}; 'went on'}}", f=lambda _: rh.eval("quit(status = 4)"), folder=FOLDER)
    assert caught.value.status == status
    with pytest.raises(RQuitError):
        rh.call("quit")
    assert rh.eval("1 + 1") == 2


def test_quit_leaves_r_code_by_its_own_doors(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RQuitError):
        rh.eval("f <- function() {on.exit(cat('exit ')); tryCatch(q(), finally = cat('finally '))}; f()")
    assert capsys.readouterr().out == "finally exit "
    with pytest.raises(RError, match="a whole number is expected"):
        rh.eval("quit(status = 'a')")


def test_quit_by_a_way_of_rpy2_is_its_error() -> None:
    with pytest.raises(RRuntimeError, match="left to the Python that hosts this R"):
        ro.r("quit()")


def test_an_error_of_a_python_function_is_the_cause_of_rs() -> None:
    def fails(_: Any) -> None:
        raise KeyError("mine")

    with pytest.raises(RError, match="KeyError: 'mine'") as caught:
        rh.call("sapply", [1], fails)
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_warning_of_r_names_the_line_of_python() -> None:
    with pytest.warns(RWarning, match="NAs introduced by coercion") as caught:
        assert rh.call("as.integer", ["a"]) is pd.NA
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert rh.eval("suppressWarnings(as.integer('a'))") is pd.NA


def test_messages_are_lines_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "mxtune.rhost"):
        rh.eval("message('half ', 'way'); packageStartupMessage('hello')")
    assert [record.getMessage() for record in caplog.records] == ["half way", "hello"]


def test_what_r_prints_goes_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    rh.eval("print(1:3); cat('done\\n')")
    assert capsys.readouterr().out == "[1] 1 2 3\ndone\n"


def test_a_value_of_r_takes_no_reference_to_none() -> None:  # 30,000 of them would end a process of Python 3.11
    numbers = rh.r([1.5, 2.5])
    rh.py(numbers)
    before = sys.getrefcount(None)
    for _ in range(2000):
        rh.py(numbers)
    assert abs(sys.getrefcount(None) - before) < 500


def test_what_python_lets_go_is_collected_in_r() -> None:
    def used() -> float:
        return float(rh.eval("sum(gc()[, 2])"))  # MB

    before = used()
    for _ in range(40):
        held = rh.r(np.zeros(1_000_000))
        assert rh.call("length", held) == 1_000_000
    assert used() - before < 40
    del held
    assert rh.eval("1 + 1") == 2
    assert used() - before < 5


def test_memory_of_r_is_collected_with_models_in_it(model: Model) -> None:
    for _ in range(2):
        for _ in range(20):
            rh.r(model)
            rh.eval("x <- reticulate::import('numpy', convert = FALSE)$zeros(1000L); rm(x)")
        rh.eval("invisible(gc())")


# ---- rpy2's own ways


def test_the_converter_does_both_ways_and_nothing_outside(model: Model) -> None:
    before = get_conversion()
    with localconverter(rh.converter):
        ro.globalenv["fit"] = model
        assert ro.globalenv["fit"] is model
        assert ro.r("data.frame(a = c(1, NA))")["a"].isna().tolist() == [False, True]
        assert ro.r["predict"](model, FOLDER).shape == (400, 2)
        assert list(ro.r("c(b = 1)").index) == ["b"]
        assert ro.r("lm(dist ~ speed, cars)").rclass[0] == "lm"
    assert get_conversion() is before
    ro.r("rm(fit)")
    assert type(ro.r("1")).__name__ == "FloatVector"


def test_activate_is_taken_back_by_deactivate() -> None:
    before = get_conversion()
    rh.activate()
    assert ro.r("data.frame(a = 1:2)")["a"].tolist() == [1, 2]
    rh.deactivate()
    assert get_conversion() is before


def test_another_thread_is_refused_in_clear_words() -> None:
    from concurrent.futures import ThreadPoolExecutor

    with (
        ThreadPoolExecutor(1, thread_name_prefix="worker") as pool,
        pytest.raises(RHostError, match="R belongs to the main thread, and this is the thread worker_0"),
    ):
        pool.submit(rh.eval, "1").result()
    assert rh.eval("1") == 1
