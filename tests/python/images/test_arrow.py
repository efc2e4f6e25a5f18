"""Tables of Arrow as data sets of Hugging Face keep them: bytes and paths of images, numbers of classes with names.

`make ecosystem` takes the data sets themselves.
"""

from __future__ import annotations

import io
import json
import sys
import types
from pathlib import Path
from typing import Any, Optional

import numpy as np
import PIL.Image
import pyarrow as pa
import pyarrow.parquet
import pytest

from mxtune.errors import ArgumentError, LabelError, MxtuneError, PictureError
from mxtune.images import ImageSet, mximages

SHADES = [0, 40, 80, 120]


def png(shade: int) -> bytes:
    stream = io.BytesIO()
    PIL.Image.new("L", (9, 8), shade).save(stream, "png")
    return stream.getvalue()


CONTENTS = [png(shade) for shade in SHADES]
PAIRS = [{"bytes": content, "path": f"{shade}.png"} for content, shade in zip(CONTENTS, SHADES)]


def shades(images: ImageSet) -> list[int]:
    return [int(np.asarray(images.open(row)).flat[0]) for row in range(len(images))]


def labels(images: ImageSet) -> list[Optional[str]]:
    return [images.labels.text(row) for row in range(len(images))]


def with_features(table: Any, **features: Any) -> Any:
    """As `datasets` writes its tables."""
    return table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_a_column_of_bytes_is_the_images(kind: Any) -> None:
    table = pa.table({"path": list("wxyz"), "content": pa.array(CONTENTS, kind), "kind": list("abab")})
    images = mximages(table, label="kind")
    assert (shades(images), labels(images)) == (SHADES, list("abab"))
    assert images.names == ["[0]", "[1]", "[2]", "[3]"] and images.files is None


def test_pairs_of_bytes_and_path_are_named_by_their_path(tmp_path: Path) -> None:
    there = tmp_path / "there.png"
    there.write_bytes(CONTENTS[3])
    pairs = [*PAIRS[:3], {"bytes": None, "path": str(there)}]
    images = mximages(pa.table({"image": pa.array(pairs), "label": list("abab")}))
    assert (shades(images), labels(images)) == (SHADES, list("abab"))
    assert images.names == ["0.png", "40.png", "80.png", str(there)]
    assert images.files == [None, None, None, str(there)]


def test_the_path_beside_bytes_is_a_name_and_nothing_is_opened_there(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(CONTENTS[1])
    for path in (str(tmp_path / "secret.png"), "memory://x.png", "\x1b[2J.png", "a" * 5000):
        images = mximages(pa.table({"image": pa.array([{"bytes": CONTENTS[0], "path": path}])}), on_bad="keep")
        assert shades(images) == [0] and images.files is None


def test_numbers_of_classes_get_the_names_that_datasets_keeps(tmp_path: Path) -> None:
    table = pa.table({"image": pa.array(PAIRS), "label": [1, 0, 2, 1]})
    named = with_features(table, label={"names": ["cat", "dog", "yak"], "_type": "ClassLabel"})
    pyarrow.parquet.write_table(named, tmp_path / "train.parquet")
    for x in (named, tmp_path / "train.parquet"):
        images = mximages(x)
        assert (labels(images), images.levels) == (["dog", "cat", "yak", "dog"], ("cat", "dog", "yak"))
    several = with_features(
        pa.table({"image": pa.array(PAIRS), "label": [[0], [1], [0, 1], [1]]}),
        label={"feature": {"names": ["sun", "sea"], "_type": "ClassLabel"}, "_type": "List"},
    )
    images = mximages(several)
    assert images.labels.task is not None and images.labels.task.name == "multilabel"
    assert np.asarray(images.y).tolist() == [[0, 1], [1, 0], [1, 1], [1, 0]]


@pytest.mark.parametrize(
    "metadata",
    [
        b"{",
        b"[]",
        b'{"info": 3}',
        b"[" * 100_000,
        b'{"info": {"features": {"label": 3}}}',
        b'{"info": {"features": {"label": {"names": [1], "_type": "ClassLabel"}}}}',
        b'{"info": {"features": {"label": {"names": ["a", "a"], "_type": "ClassLabel"}}}}',
    ],
)
def test_what_a_stranger_wrote_there_is_no_names(metadata: bytes) -> None:
    table = pa.table({"image": pa.array(PAIRS), "label": [0, 1, 0, 1]}).replace_schema_metadata(
        {"huggingface": metadata}
    )
    assert labels(mximages(table, task="classification")) == list("0101")


def test_a_class_without_a_name_is_told() -> None:
    table = pa.table({"image": pa.array(PAIRS), "label": [0, 1, 7, -5]})
    with pytest.raises(ArgumentError, match=r"numbers of classes beyond its 2 names\.\nx -5\nx 7"):
        mximages(with_features(table, label={"names": ["a", "b"], "_type": "ClassLabel"}))


@pytest.mark.parametrize("tags", [[-1], [0, -1], [0, None]])
def test_an_image_whose_classes_are_unknown_is_named(tags: list[Any]) -> None:
    table = pa.table({"image": pa.array(PAIRS), "label": [[0], [1], tags, [1]]})
    feature = {"feature": {"names": ["sun", "sea"], "_type": "ClassLabel"}, "_type": "List"}
    with pytest.raises(LabelError, match=r"1 image has an empty label\.\nx 80\.png"):
        mximages(with_features(table, label=feature))


def test_columns_of_one_name_are_told() -> None:
    table = pa.table([pa.array(PAIRS), pa.array(list("abab")), pa.array(list("abab"))], ["image", "label", "label"])
    with pytest.raises(ArgumentError, match=r"several columns of the same name: label\."):
        mximages(table)


def test_columns_are_images_and_labels() -> None:
    table = pa.table({"image": pa.array(PAIRS), "label": list("abab")})
    images = mximages(table["image"], table["label"])
    assert (shades(images), labels(images), images.names[1]) == (SHADES, list("abab"), "40.png")
    assert shades(mximages(table["image"].chunk(0)[1:], list("aba"))) == SHADES[1:]


def test_whoever_speaks_the_protocol_of_arrow_is_a_table() -> None:
    class Frame:
        """As those of polars and duckdb."""

        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            return pa.table({"image": CONTENTS, "label": list("abab")}).__arrow_c_stream__(requested_schema)

    assert shades(mximages(Frame())) == SHADES

    class Numbers:
        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            return pa.chunked_array([[1]]).__arrow_c_stream__(requested_schema)

    with pytest.raises(ArgumentError, match="Images must have 2, 3 or 4 axes"):
        mximages(Numbers())


def test_one_column_that_speaks_the_protocol_is_a_list() -> None:
    class Series:
        def __init__(self, column: Any) -> None:
            self.column = column

        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            return self.column.__arrow_c_stream__(requested_schema)

    images = mximages(Series(pa.chunked_array([CONTENTS])), Series(pa.chunked_array([list("abab")])))
    assert (shades(images), images.levels) == (SHADES, ("a", "b"))


def test_damaged_bytes_and_missing_ones_are_named_by_row() -> None:
    contents = [CONTENTS[0], CONTENTS[1][:30], None, b"text"]
    pairs = [None if content is None else {"bytes": content, "path": None} for content in contents]
    for column in (contents, pa.array(pairs, pa.struct({"bytes": pa.binary(), "path": pa.string()}))):
        with pytest.raises(PictureError) as caught:
            mximages(pa.table({"image": column, "label": list("abab")}))
        assert [name for name, _ in caught.value.files] == ["[1]", "[2]", "[3]"]
        assert caught.value.files[1][1] == "there is no path"


def test_an_image_that_is_too_large_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mxtune.images.arrow.MAX_BYTES", 10)
    with pytest.raises(PictureError, match=r"\[0\]: too large to be read: \d+ bytes"):
        mximages(pa.table({"image": CONTENTS}))


def test_offsets_beyond_the_memory_are_found_before_they_are_followed() -> None:
    offsets = pa.py_buffer(np.array([0, 1 << 30, 20], np.int32).tobytes())
    wild = pa.Array.from_buffers(pa.binary(), 2, [None, offsets, pa.py_buffer(bytes(20))])
    with pytest.raises(MxtuneError, match="The table of Arrow is damaged"):
        mximages(pa.table({"image": wild, "label": ["a", "b"]}))


def test_images_stay_where_they_are_until_they_are_read() -> None:
    content = png(7) + bytes(1_000_000)
    table = pa.table({"image": [content] * 30, "label": list("ab") * 15})
    before = pa.total_allocated_bytes()
    images = mximages(table, on_bad="keep")
    assert pa.total_allocated_bytes() - before < 3_000_000
    assert all(not isinstance(item, bytes) for item in images._pixels.items)


def test_a_module_of_the_users_may_be_called_datasets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", types.ModuleType("datasets"))
    assert shades(mximages(pa.table({"image": CONTENTS}))) == SHADES


def test_a_model_trains_and_predicts_by_the_same_columns() -> None:
    from mxtune import mxtrain

    rng = np.random.default_rng(0)
    contents = [png(int(shade)) for shade in np.r_[rng.integers(0, 90, 12), rng.integers(150, 250, 12)]]
    table = pa.table({"photo": contents, "kind": ["dark"] * 12 + ["light"] * 12})
    model = mxtrain(table, path="photo", label="kind", net="lenet", epochs=1, verbose=0)
    assert len(model.predict(table)) == 24
