"""What a user may have: folders, files, data frames, arrays, images in memory."""

from __future__ import annotations

import os
import shutil
import unicodedata
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import PIL.Image
import pytest
import skimage

from mxtune import progress
from mxtune.errors import ArgumentError, LabelError, LabelWarning, PictureError, PictureWarning
from mxtune.images import mximages
from mxtune.images.columns import path_column

DATA = Path(skimage.__file__).parent / "data"
NAMES = ("brick.png", "camera.png", "coins.png", "grass.png")


class Heard:
    """Keeps what a user is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def event(self, kind: str, **info: Any) -> None:
        if kind == "message":
            self.texts.append(info["text"])


@pytest.fixture(name="pictures")
def _pictures(tmp_path: Path) -> Path:
    """A folder of four images, without classes."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in NAMES:
        shutil.copy(DATA / name, folder / name)
    return folder


def _two_classes(pictures: Path, first: str = "a", second: str = "b") -> Path:
    for name in NAMES:
        home = pictures / (first if name < "c" else second if name > "cb" else first)
        home.mkdir(exist_ok=True)
        (pictures / name).rename(home / name)
    return pictures


def test_a_folder_of_class_folders(pictures: Path) -> None:
    images = mximages(_two_classes(pictures))
    assert images.names == ["a/brick.png", "a/camera.png", "b/coins.png", "b/grass.png"]
    assert images.levels == ("a", "b")
    assert images.y is not None
    assert images.y.tolist() == [0, 0, 1, 1]
    assert images.y.dtype == np.int64
    assert images.files is not None
    assert all(file is not None and Path(file).is_absolute() and Path(file).exists() for file in images.files)


def test_a_folder_without_classes(pictures: Path) -> None:
    images = mximages(str(pictures))
    assert images.names == list(NAMES)
    assert (images.task, images.y, images.levels) == (None, None, ())
    assert len(mximages(pictures, ["x", "y", "x", "y"]).levels) == 2


def test_deeper_folders_belong_to_their_class_or_to_none_when_recursive(pictures: Path) -> None:
    _two_classes(pictures)
    (pictures / "a" / "2024 summer").mkdir()
    (pictures / "a" / "brick.png").rename(pictures / "a" / "2024 summer" / "brick.png")
    assert mximages(pictures).frame()["label"].tolist() == ["a", "a", "b", "b"]
    flat = mximages(pictures, recursive=True)
    assert flat.task is None
    assert flat.names == ["a/2024 summer/brick.png", "a/camera.png", "b/coins.png", "b/grass.png"]


def test_hidden_and_system_files_are_passed_over(pictures: Path) -> None:
    _two_classes(pictures)
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "._camera.png", ".hidden.png"):
        (pictures / "a" / name).write_bytes(b"\0\1")
    (pictures / "__MACOSX").mkdir()
    (pictures / "__MACOSX" / "camera.png").write_bytes(b"\0")
    (pictures / ".ipynb_checkpoints").mkdir()
    (pictures / "LICENSE").write_text("beside the classes, not in one")
    assert len(mximages(pictures)) == 4
    assert mximages(pictures).levels == ("a", "b")


def test_what_is_no_picture_is_passed_over_in_one_line_and_what_is_damaged_is_not(pictures: Path) -> None:
    _two_classes(pictures)
    (pictures / "LICENSE").write_text("beside the classes")
    (pictures / "labels.csv").write_text("path,label\n")
    (pictures / "a" / "notes.txt").write_text("in one of them")
    (pictures / "a" / "brick.xmp").write_text("<x:xmpmeta>")
    (pictures / "b" / "film.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + b"\0" * 600)
    (pictures / "b" / "inner.zip").write_bytes(b"PK\3\4" + b"\0" * 60)
    shutil.copy(DATA / "moon.png", pictures / "b" / "an image without an ending")
    os.mkfifo(pictures / "b" / "pipe")
    heard = Heard()
    with progress.using(heard), pytest.warns(PictureWarning, match="mislead"):
        images = mximages(pictures)
    assert images.names == [
        "a/brick.png",
        "a/camera.png",
        *("b/" + n for n in ("an image without an ending", *NAMES[2:])),
    ]
    first = "LICENSE, a/brick.xmp, a/notes.txt, b/film.mp4, b/inner.zip"
    assert heard.texts == [f"Skipped 7 files that are not images: {first} and 2 more."]
    (pictures / "b" / "phone.png").write_text("no")
    (pictures / "b" / "camera.nef").write_bytes(b"no")
    (pictures / "b" / "gone").symlink_to(pictures / "nowhere")
    with pytest.raises(PictureError) as caught:
        mximages(pictures)
    assert [name for name, _ in caught.value.files] == ["b/camera.nef", "b/gone", "b/phone.png"]


def test_a_folder_without_pictures_tells_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(PictureError, match=r"There are no images in .*\nx notes.txt$"):
        mximages(tmp_path)


def test_class_names_of_any_script_sort_bytewise(pictures: Path) -> None:
    _two_classes(pictures, "Äpfel & Birnen", "Zebra")
    assert mximages(pictures).levels == ("Zebra", "Äpfel & Birnen")


def test_a_class_name_is_the_same_from_a_mac(pictures: Path) -> None:
    _two_classes(pictures, unicodedata.normalize("NFD", "Äpfel"), "猫")
    assert mximages(pictures).levels == (unicodedata.normalize("NFC", "Äpfel"), "猫")


def test_a_file_name_that_is_no_text_can_be_read_and_printed(pictures: Path) -> None:
    shutil.copy(DATA / "moon.png", os.fsencode(pictures) + b"/m\xff.png")
    images = mximages(pictures)
    assert images.names[-1] == "m\ufffd.png"
    assert "m\ufffd.png".encode() in images.frame().to_csv().encode()


def test_links_are_followed_but_loops_are_not(pictures: Path, tmp_path: Path) -> None:
    _two_classes(pictures)
    (pictures / "a" / "up").symlink_to(pictures, target_is_directory=True)
    (pictures / "a" / "self.png").symlink_to(pictures / "a" / "self.png")
    shutil.copytree(pictures / "b", tmp_path / "elsewhere")
    shutil.rmtree(pictures / "b")
    (pictures / "b").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    with pytest.raises(PictureError) as caught:
        mximages(pictures)
    assert caught.value.files == (("a/self.png", "it can't be read (Too many levels of symbolic links)"),)
    (pictures / "a" / "self.png").unlink()
    (pictures / "a" / "up").unlink()
    (pictures / "a" / "again").symlink_to(pictures / "a", target_is_directory=True)
    assert len(mximages(pictures)) == 4


def test_a_pipe_does_not_hang(pictures: Path) -> None:
    os.mkfifo(pictures / "pipe.png")
    with pytest.raises(PictureError, match=r"pipe.png: not a file"):
        mximages(pictures)


def test_an_empty_class_folder_is_named_and_left_out(pictures: Path) -> None:
    _two_classes(pictures)
    (pictures / "aardvark").mkdir()
    with pytest.warns(LabelWarning, match="1 class has no images and is left out.\nx aardvark"):
        images = mximages(pictures)
    assert images.levels == ("a", "b")
    assert images.y is not None
    assert images.y.tolist() == [0, 0, 1, 1]


def test_a_picture_outside_of_the_class_folders_is_named(pictures: Path) -> None:
    _two_classes(pictures)
    shutil.copy(DATA / "moon.png", pictures / "moon.png")
    with pytest.raises(PictureError, match=r"moon.png: is outside the class folders"):
        mximages(pictures)


def test_labels_given_twice_are_an_error(pictures: Path) -> None:
    with pytest.raises(LabelError, match="given twice"):
        mximages(_two_classes(pictures), ["x"] * 4)


def test_what_is_not_there_is_named_with_a_near_name(pictures: Path) -> None:
    with pytest.raises(PictureError, match=r"There is no file or folder .*pictuers.") as caught:
        mximages(pictures.with_name("pictuers"))
    assert str(caught.value).endswith(f"i Did you mean {pictures}?")
    (pictures / "empty").mkdir()
    with pytest.raises(PictureError, match="There are no images in"):
        mximages(pictures / "empty")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("data:image/png;base64,iVBORw0KGgo=", "an image as base64 text, not a path: decode it to bytes first"),
        ("iVBORw0KGgo" + "A" * 9000, "an image as base64 text, not a path: decode it to bytes first"),
        ("lorem ipsum " * 500, "a text of 6,000 characters, not a path"),
        ("path,label\na.png,cat\n", "a text of 21 characters, not a path"),
    ],
)
def test_texts_that_are_no_paths_are_named_as_what_they_are(text: str, what: str) -> None:
    with pytest.raises(PictureError) as caught:
        mximages(text)
    first, second = str(caught.value).splitlines()
    assert first == f"`x` is {what}."
    assert second == (f"x {text}" if len(text) < 60 and "\n" not in text else f"x {text.splitlines()[0][:60]}...")
    with pytest.raises(PictureError) as several:
        mximages([text] * 40)
    assert [reason for _, reason in several.value.files] == [what] * 40
    assert several.value.message == "None of the 40 paths leads to a file."
    assert len(several.value.bullets) == 1
    assert several.value.bullets[0].endswith(f": {what}")


def test_a_list_of_files(pictures: Path) -> None:
    files = [pictures / "grass.png", str(pictures / "brick.png")]
    images = mximages(files, ["plant", "plant"])
    assert images.names == [str(file) for file in files]
    assert images.counts()["n"].tolist() == [2]


def test_missing_files_of_a_list_are_all_named(pictures: Path) -> None:
    with pytest.raises(PictureError) as caught:
        mximages([pictures / "one.png", pictures / "brick.png", pictures / "two.png", pictures])
    assert [reason for _, reason in caught.value.files] == ["there is no such file"] * 2 + ["a folder, not an image"]


@pytest.mark.filterwarnings("ignore::mxtune.errors.LabelWarning")
@pytest.mark.parametrize("columns", [("path", "label"), ("file", "species"), ("where", "what")])
def test_a_data_frame(pictures: Path, columns: tuple[str, str]) -> None:
    frame = pd.DataFrame({columns[0]: [str(pictures / name) for name in NAMES], columns[1]: list("abab")})
    images = mximages(frame)
    assert images.levels == ("a", "b")
    assert images.y is not None
    assert images.y.tolist() == [0, 1, 0, 1]
    shuffled = mximages(frame.iloc[::-1])
    assert shuffled.names == images.names[::-1]


def test_columns_of_a_data_frame_by_name(pictures: Path) -> None:
    frame = pd.DataFrame({"id": range(4), "shot": [str(pictures / n) for n in NAMES], "who": list("xxyy"), "n": 1.5})
    by_label = mximages(frame, path="shot", label="who")
    by_y = mximages(frame, "who")
    assert by_label.levels == by_y.levels == ("x", "y")
    assert mximages(frame, label="n").task == "regression"
    assert mximages(frame, label=["n", "id"]).y.shape == (4, 2)
    for wrong in ({"label": "whom"}, {"y": "whom"}, {"label": ["n", "whom"]}, {"path": "whom"}):
        with pytest.raises(ArgumentError, match=r"no such column.\nx whom\ni Its columns are id, shot, who, n\."):
            mximages(frame, **wrong)
    heard = Heard()
    with progress.using(heard):
        assert mximages(frame, path="shot").task is None
    assert heard.texts == [
        'Couldn\'t tell which column holds the labels. Columns: id, who, n. Call it "label", or name it: label = "...".'
    ]
    with pytest.raises(ArgumentError, match=r"No column contains image paths.\nx the columns are id, who\ni Call it"):
        mximages(frame[["id", "who"]])


@pytest.mark.filterwarnings("ignore::mxtune.errors.PictureWarning")
def test_the_only_text_beside_the_labels_is_the_paths(pictures: Path) -> None:
    bare = [str(shutil.copy(pictures / name, pictures / f"bare {n}")) for n, name in enumerate(NAMES)]
    frame = pd.DataFrame({"n": range(4), "where": bare, "who": list("xxyy")})
    assert mximages(frame, label="who").names == bare
    assert path_column(frame.assign(where=frame["where"].astype("category")), "who") == "where"
    with pytest.raises(ArgumentError, match="No column contains image paths"):
        mximages(frame.assign(note="-", where=[f"{name} is gone" for name in bare]), label="who")
    assert mximages(frame.assign(note="-"), label="who").names == bare  # the only ones that are files


def test_a_table_with_another_separator_is_recognised() -> None:
    with pytest.raises(ArgumentError, match='found one column, "path;species": is the file'):
        mximages(pd.DataFrame({"path;species": ["a.png;cat"]}))


def test_relative_paths_and_missing_paths_in_a_data_frame(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pictures)
    assert len(mximages(pd.DataFrame({"path": list(NAMES)}))) == 4
    with pytest.raises(PictureError) as caught:
        mximages(pd.DataFrame({"path": ["brick.png", None, "no.png"]}))
    assert caught.value.files == (("[1]", "there is no path"), ("no.png", "there is no such file"))


def test_colour_and_grey_arrays() -> None:
    rng = np.random.default_rng(0)
    colour = rng.integers(0, 256, (5, 12, 9, 3), dtype=np.uint8)
    images = mximages(colour)
    assert images.names == ["[0]", "[1]", "[2]", "[3]", "[4]"]
    assert images.files is None
    assert np.array_equal(np.asarray(images.open(3)), colour[3])
    grey = mximages(colour[..., 0])
    assert grey.grey
    assert np.array_equal(np.asarray(grey.open(2)), colour[2, ..., 0])
    assert mximages(colour[..., :1]).fingerprint == grey.fingerprint
    alpha = np.concatenate([colour, np.zeros((5, 12, 9, 1), np.uint8)], axis=3)
    assert np.asarray(mximages(alpha).open(0)).min() == 255


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("layout", ["NHWC", "HWCN", "NCHW"])
@pytest.mark.parametrize("kind", ["uint8", "unit", "byte", "int32", "uint16"])
def test_arrays_of_any_layout_and_type_are_the_same_pictures(order: Any, layout: str, kind: str) -> None:
    pictures = np.random.default_rng(1).integers(0, 256, (7, 6, 5, 3), dtype=np.uint8)
    pictures[0, 0, 0] = 255
    array: Any = pictures
    if kind == "unit":
        array = pictures / 255
    elif kind == "byte":
        array = pictures.astype(np.float64)
    elif kind == "int32":
        array = pictures.astype(np.int32)
    elif kind == "uint16":
        array = pictures.astype(np.uint16) * 257
    array = np.asarray(array.transpose(["NHWC".index(axis) for axis in layout]), order=order)
    images = mximages(array, layout=layout)
    assert all(np.array_equal(np.asarray(images.open(row)), pictures[row]) for row in range(7))
    array.setflags(write=False)
    assert mximages(array, layout=layout).fingerprint == images.fingerprint


def test_what_is_guessed_of_an_array_is_said() -> None:
    heard = Heard()
    with progress.using(heard):
        mximages(np.random.default_rng(0).random((9, 8, 8, 3)), np.arange(9))
        assert len(mximages(np.zeros((40, 30, 3), np.uint8))) == 1
        assert len(mximages(np.zeros((40, 30, 3), np.uint8), list("ab") * 20, on_bad="keep")) == 40
        assert len(mximages(np.zeros((40, 30), np.uint8))) == 1
    assert heard.texts == [
        'The labels are numbers, so this is regression. For classes: task = "classification".',
        "Pixel values are taken as 0 (black) to 1 (white). Set `range` to change this.",
        "The 40 x 30 x 3 array is one image (HWC).",
    ]


def test_arrays_that_are_no_pictures_are_refused() -> None:
    for array, words in (
        (np.zeros((5, 8, 8, 2), np.uint8), "1, 3 or 4 channels"),
        (np.zeros((5, 3, 8, 8), np.uint8), 'layout = "NCHW" in mximages'),
        ([np.zeros((3, 8, 8), np.uint8)], 'layout = "NCHW" in mximages'),
        (np.ma.masked_less(np.ones((2, 8, 8, 3)), 2), "384 of 384 are masked"),
        (np.zeros(9), "2, 3 or 4 axes"),
        (np.zeros((0, 8, 8, 3)), "no pixels"),
        (np.zeros((2, 8, 8, 3), complex), "must be"),
    ):
        with pytest.raises(ArgumentError, match=words):
            mximages(array)
    with pytest.raises(ArgumentError, match="reshape"):
        mximages(np.zeros((4, 784)), list("abab"))


def test_what_is_no_file_and_no_folder_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/null", tmp_path / "pipe"):
        with pytest.raises(PictureError, match="is neither a file nor a folder"):
            mximages(path)


def test_what_else_a_file_holds_is_told(tmp_path: Path) -> None:
    np.save(tmp_path / "photos.npy", np.zeros((4, 8, 8), np.uint8))
    with zipfile.ZipFile(tmp_path / "photos", "w") as archive:
        archive.writestr("0.png", b"")
    for name, words in (("photos.npy", "give the array, not its file"), ("photos", "name ends in .zip")):
        for x in (tmp_path / name, (tmp_path / name).read_bytes()):
            with pytest.raises(PictureError, match=f"not an image: it contains a .*{words}"):
                mximages(x)


def test_columns_of_two_names_are_refused() -> None:
    frame = pd.DataFrame({("photo", "path"): ["a.png"], ("photo", "label"): ["a"]})
    with pytest.raises(ArgumentError, match=r"must have one name each\.\nx the first is \('photo', 'path'\)"):
        mximages(frame)


class Tensor:
    """An array of another library."""

    def __init__(self, values: np.ndarray) -> None:
        self.values, self.shape, self.dtype = values, values.shape, values.dtype

    def __array__(self, *_: object, **__: object) -> np.ndarray:
        if self.dtype == np.float16:
            raise TypeError("can't convert a tensor of a GPU")
        return self.values


def test_arrays_of_other_libraries_are_arrays() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 8, 6, 3), np.uint8)
    for x in (Tensor(pixels), [Tensor(one) for one in pixels]):
        images = mximages(x, [Tensor(np.array(label)).values.item() for label in "ababa"])
        np.testing.assert_array_equal([np.asarray(image) for image in images], pixels)
    with pytest.raises(
        ArgumentError, match=r"NumPy can't read a Tensor as an array\.\nx can't convert a tensor of a GPU"
    ):
        mximages(Tensor(pixels.astype(np.float16)))


def test_an_image_whose_file_was_closed_unread_is_told(pictures: Path) -> None:
    with PIL.Image.open(pictures / "brick.png") as closed:
        pass
    with pytest.raises(PictureError, match=r"\[0\]: its file was closed before it was read: call its load\(\) before"):
        mximages([closed])


def test_pillow_images_arrays_and_bytes_in_a_list(pictures: Path) -> None:
    cat = PIL.Image.open(DATA / "chelsea.png")
    images = mximages([cat, np.asarray(cat)[:100], (DATA / "rocket.jpg").read_bytes(), pictures / "brick.png"])
    assert images.names == ["[0]", "[1]", "[2]", str(pictures / "brick.png")]
    assert images.sizes.tolist() == [[300, 451], [100, 451], [427, 640], [512, 512]]
    assert np.array_equal(np.asarray(images.open(0)), np.asarray(cat))
    assert len(mximages(cat)) == 1
    with pytest.raises(ArgumentError, match=r"\[1\]: an int"):
        mximages([cat, 3])
    with pytest.raises(ArgumentError, match="it is a dict"):
        mximages({"a": cat})


def test_sixty_thousand_pictures_are_not_copied() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (60_000, 28, 28), dtype=np.uint8)
    images = mximages(pictures)
    assert np.shares_memory(images._pixels.items, pictures)
    assert len(images) == 60_000


def test_decoded_pictures_are_kept_within_bounds(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mxtune.images import pixels

    monkeypatch.setattr(pixels, "ROOM", 600_000)
    images = mximages(pictures)
    assert 0 < len(images._pixels._kept) < 4
    assert images._pixels._room >= 0


def test_batches_in_a_list_are_not_taken_for_images() -> None:
    batch = np.arange(2 * 8 * 8 * 3, dtype=np.uint8).reshape(2, 8, 8, 3)
    assert len(mximages([batch[0], batch[1:]])) == 2
    with pytest.raises(
        ArgumentError, match=r"one image(.|\n)*\[1\] holds 2: the shape is \(2, 8, 8, 3\), read as NHWC"
    ):
        mximages([batch[0], batch])
