"""Files that contradict the authors' layout, are damaged or are none of theirs: bad input, and no crash."""

import contextlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from authors_files import contents_of_a_test_file, refused, training_contents
from torchvin.data.authors import read_mat
from torchvin.errors import InputError


@pytest.mark.parametrize("contents", [training_contents(), contents_of_a_test_file()], ids=["training", "test"])
def test_a_missing_key_is_named(tmp_path, contents):
    for key in contents:
        rest = {other: value for other, value in contents.items() if other != key}
        refused(tmp_path, rest, f"lacks {key}; the authors' files hold {', '.join(contents)}")


def test_another_file_is_told_what_was_expected_and_what_came(tmp_path):
    refused(
        tmp_path,
        {"map": np.zeros((3, 3)), "pose": np.zeros(2)},
        r"expected batch_im_data, .* \(training\) or all_im_data, .* \(test\), got map, pose",
    )


@pytest.mark.parametrize("contents", [training_contents(), contents_of_a_test_file()], ids=["training", "test"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 0.5])
def test_nan_and_fractions_are_refused(tmp_path, contents, value):
    for key in contents:
        if contents[key].dtype == object:
            continue
        spoilt = dict(contents)
        spoilt[key] = contents[key].astype(np.float64)
        spoilt[key][0, 1] = value
        refused(tmp_path, spoilt, f"{key} must hold whole numbers, got fractions or NaN")


def test_a_nan_in_a_path_is_refused(tmp_path):
    contents = contents_of_a_test_file()
    contents["all_states_xy"][1, 0] = np.array([[1.0, np.nan], [1.0, 5.0]])
    refused(tmp_path, contents, "path 1 must hold whole numbers, got fractions or NaN")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("batch_im_data", np.ones((5, 24), np.uint8), r"images and goal images must be \[maps, n\*n\], got \(\d, 24\)"),
        ("batch_im_data", np.full((5, 25), 2, np.uint8), r"images must hold 0 \(obstacle\) and 1 \(free\) only, got \[2\]"),
        ("batch_value_data", np.zeros((5, 25), np.uint8), "each goal image must hold 10 exactly once, at the goal"),
        ("batch_value_data", np.full((5, 25), 10, np.uint8), "each goal image must hold 10 exactly once, at the goal"),
        ("state_x_data", np.zeros((4, 4), np.uint8), "the batch arrays must have one row per batch"),
        ("state_y_data", np.zeros((5, 3), np.uint8), "the batch arrays must have one row per batch, and states and labels"),
        ("batch_label_data", np.full((5, 4), 8, np.uint8), "a label is not one of 0..7"),
        ("batch_label_data", np.full((5, 4), -1, np.int8), "a label is not one of 0..7"),
        ("state_x_data", "text", "state_x_data must be an array of numbers with 2 axes, got <U"),
        ("state_x_data", np.zeros((5, 4, 2)), r"state_x_data must be an array of numbers with 2 axes, got float64 \[5, 4, 2\]"),
        ("state_x_data", {"a": 1}, "state_x_data must be an array of numbers with 2 axes"),
    ],
)  # fmt: skip
def test_arrays_that_contradict_the_layout_are_refused(tmp_path, key, value, message):
    refused(tmp_path, training_contents() | {key: value}, message)


def test_batches_without_pairs_are_refused(tmp_path):
    contents = training_contents()
    for key in ("state_x_data", "state_y_data", "batch_label_data"):
        contents[key] = contents[key][:, :0]
    refused(tmp_path, contents, ".")


def test_a_file_without_batches_is_refused(tmp_path):
    refused(tmp_path, {key: value[:0] for key, value in training_contents().items()}, ".")


def test_maps_without_cells_are_refused(tmp_path):
    contents = training_contents()
    for key in ("batch_im_data", "batch_value_data"):
        contents[key] = contents[key][:, :0]
    refused(tmp_path, contents, ".")


def test_values_too_large_for_two_bytes_are_not_taken_for_others(tmp_path):
    contents = {key: value.astype(np.int64) for key, value in training_contents().items()}
    contents["batch_im_data"][1, 0] += 1 << 16  # 65,537: 1 in two bytes
    refused(tmp_path, contents, r"images must hold 0 \(obstacle\) and 1 \(free\) only")


@settings(max_examples=5)  # SciPy reads in a process of its own
@given(content=st.binary(max_size=300))
def test_random_bytes_are_bad_input(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "random.mat"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"random\.mat: "):
        read_mat(path)


@settings(max_examples=200)
@given(
    layout=st.sampled_from([training_contents, contents_of_a_test_file]),
    places=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=3),
)
def test_a_damaged_file_is_bad_input_or_a_data_set(tmp_path_factory, layout, places):
    """Compressed, as MATLAB writes by default and the authors did."""
    path = tmp_path_factory.getbasetemp() / "damaged.mat"
    savemat(path, layout(), do_compression=True)
    content = bytearray(path.read_bytes())
    for place, byte in places:
        content[int(place * len(content))] = byte
    path.write_bytes(content)
    with contextlib.suppress(InputError):
        read_mat(path)


READ_IN_TURN = """
import sys
from pathlib import Path
from torchvin.data.authors import read_mat
from torchvin.errors import InputError
from torchvin.data.authors import is_training_file
for name in sys.argv[1:]:
    is_training_file(Path(name))
    try:
        read_mat(Path(name))
    except InputError:
        print("refused", flush=True)
"""


def test_a_damaged_file_without_compression_does_not_crash_the_process(tmp_path):
    """scipy 1.17 follows some wrong bytes out of memory; in a process of its own, so that the tests survive it."""
    savemat(tmp_path / "file.mat", training_contents())
    whole = (tmp_path / "file.mat").read_bytes()
    names = []
    for place, byte in [(144, 5), (172, 255), (372, 18), (784, 0)]:
        content = bytearray(whole)
        content[place] = byte
        names.append(str(tmp_path / f"damaged_{place}.mat"))
        Path(names[-1]).write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-c", READ_IN_TURN, *names], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, f"exit status {done.returncode} after {done.stdout.split()}: {done.stderr[-300:]}"
    assert done.stdout.split() == ["refused"] * len(names)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_file_cut_off_is_bad_input(tmp_path, share):
    savemat(tmp_path / "file.mat", training_contents())
    content = (tmp_path / "file.mat").read_bytes()
    (tmp_path / "cut.mat").write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=r"cut\.mat: "):
        read_mat(tmp_path / "cut.mat")
