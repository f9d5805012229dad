import io
import struct
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from torchvin.data.dataset import MapDataset, solve_maps
from torchvin.data.npz import read_npz, write_npz
from torchvin.errors import InputError
from torchvin.maps.generators.gridworld import generate_gridworld
from torchvin.mdp.motion import GridMotion

TENSORS = ("blocked", "goal", "optimal_actions", "demonstrated", "starts")


def solved(moves=None, **numbers):
    return solve_maps(*generate_gridworld(3, 6, 9, seed=1, moves=moves), moves=moves, **numbers)


@pytest.fixture(scope="module")
def valid(tmp_path_factory):
    """The bytes of a valid file."""
    path = tmp_path_factory.mktemp("npz") / "valid.npz"
    write_npz(path, solved())
    return path.read_bytes()


@pytest.fixture
def fields(valid):
    """The arrays of a valid file, to be spoilt one at a time."""
    with np.load(io.BytesIO(valid)) as arrays:
        return {name: arrays[name].copy() for name in arrays}


def same(one: MapDataset, other: MapDataset) -> bool:
    return one.moves == other.moves and all(
        torch.equal(getattr(one, name), getattr(other, name)) and getattr(one, name).dtype == getattr(other, name).dtype
        for name in TENSORS
    )


def refused(path: Path, fields: dict[str, np.ndarray], message: str) -> None:
    np.savez(path, **fields)
    with pytest.raises(InputError, match=message) as caught:
        read_npz(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "moves",
    [
        GridMotion(),
        GridMotion(num_actions=4),
        GridMotion(corner_cutting=False),
        GridMotion(num_actions=4, corner_cutting=False),
    ],
    ids=str,
)
def test_a_data_set_comes_back_as_it_was_written(tmp_path, moves):
    dataset = solved(moves)
    write_npz(tmp_path / "maps.npz", dataset)
    assert same(read_npz(tmp_path / "maps.npz"), dataset)


def test_absent_starts_come_back(tmp_path):
    dataset = solved(num_demonstrations=60)
    assert (dataset.starts == -1).any()
    write_npz(tmp_path / "maps.npz", dataset)
    assert same(read_npz(tmp_path / "maps.npz"), dataset)


def test_what_was_read_can_be_written_to(tmp_path):
    write_npz(tmp_path / "maps.npz", solved())
    read_npz(tmp_path / "maps.npz").blocked[0, 0, 0] = False


def test_numpy_reads_the_file_without_pickle_under_named_fields(valid):
    with np.load(io.BytesIO(valid), allow_pickle=False) as arrays:
        assert set(arrays) == {"schema", "version", "num_actions", "corner_cutting", *TENSORS}
        assert (str(arrays["schema"]), int(arrays["version"])) == ("torchvin-maps", 1)


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "maps.npz"
    write_npz(path, solved())
    shorter = solved()[:1]
    write_npz(path, shorter)
    assert same(read_npz(path), shorter)
    assert [entry.name for entry in tmp_path.iterdir()] == ["maps.npz"]


@pytest.mark.parametrize("before", [None, b"what was there before"])
def test_a_write_that_fails_leaves_nothing_half_written(tmp_path, monkeypatch, before):
    path = tmp_path / "maps.npz"
    if before is not None:
        path.write_bytes(before)

    def full(stream, **arrays):
        stream.write(b"PK half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(InputError, match=r"cannot write .*maps\.npz: No space left on device; free space"):
        write_npz(path, solved())
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == (
        {} if before is None else {"maps.npz": before}
    )


def test_a_folder_that_cannot_be_made_is_bad_input(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot write .*; choose another place"):
        write_npz(tmp_path / "file" / "maps.npz", solved())


@pytest.mark.parametrize("name", ["schema", "version", "num_actions", "corner_cutting", *TENSORS])
def test_a_missing_field_is_named(tmp_path, fields, name):
    del fields[name]
    refused(
        tmp_path / "maps.npz", fields, f"not a data set of torchvin: it lacks {name}; make one with `torchvin data`"
    )


def test_another_npz_is_told_everything_it_lacks(tmp_path):
    refused(tmp_path / "maps.npz", {"arr_0": np.zeros(3)}, "it lacks schema, version, .*, blocked, goal, .*, starts;")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("version", np.array(5), "expected torchvin-maps version 1, 2, 3 or 4, got torchvin-maps version 5"),
        ("schema", np.array("other"), "expected torchvin-maps version 1, 2, 3 or 4, got other version 1"),
        ("version", np.array(1.0), "version must be one value, got float64"),
        ("version", np.array([1]), r"version must be one value, got int64 \(1,\)"),
        ("schema", np.array(b"torchvin-maps"), "schema must be one value"),
        ("num_actions", np.array(5), "num_actions must be 4 or 8, got 5"),
        ("corner_cutting", np.array(1), "corner_cutting must be one value, got int64"),
    ],
)
def test_a_wrong_header_is_refused(tmp_path, fields, name, value, message):
    refused(tmp_path / "maps.npz", fields | {name: value}, message)


@pytest.mark.parametrize("name", TENSORS)
def test_a_wrong_dtype_is_refused(tmp_path, fields, name):
    fields[name] = fields[name].astype(np.float64)
    refused(tmp_path / "maps.npz", fields, rf"{name} must be \w+ \[.*\], got float64 \[")


@pytest.mark.parametrize("name", TENSORS)
def test_a_wrong_number_of_axes_is_refused(tmp_path, fields, name):
    fields[name] = fields[name][0]
    refused(tmp_path / "maps.npz", fields, rf"{name} must be .*, got {fields[name].dtype} \[")


@pytest.mark.parametrize("name", [name for name in TENSORS if name != "blocked"])
def test_fields_of_different_numbers_of_maps_are_refused(tmp_path, fields, name):
    fields[name] = fields[name][:2]
    refused(tmp_path / "maps.npz", fields, rf"{name} must be .* \[M, .*\], got .* \[2, ")


def test_a_field_turned_on_its_side_is_refused(tmp_path, fields):
    fields["demonstrated"] = fields["demonstrated"].transpose(0, 2, 1)
    refused(tmp_path / "maps.npz", fields, r"demonstrated must be uint8 \[M, H, W\], got uint8 \[3, 9, 6\]")


def test_an_empty_data_set_is_refused(tmp_path, fields):
    for name in TENSORS:
        fields[name] = fields[name][:0]
    refused(tmp_path / "maps.npz", fields, "the data set is empty")


def test_a_goal_on_an_obstacle_is_refused(tmp_path, fields):
    fields["goal"][1] = (0, 0)
    refused(tmp_path / "maps.npz", fields, r"the goal \(0, 0\) of map 1 lies on an obstacle")


@pytest.mark.parametrize("goal", [(6, 0), (0, 9), (-1, 0), (2**31 - 1, 0)])
def test_a_goal_off_the_map_is_refused(tmp_path, fields, goal):
    fields["goal"][2] = goal
    refused(tmp_path / "maps.npz", fields, r"the goal \(.*\) of map 2 lies off the map")


@pytest.mark.parametrize("start", [(6, 0), (0, 9), (-1, 0), (0, -1), (-2, -2)])
def test_a_start_off_the_map_is_refused(tmp_path, fields, start):
    fields["starts"][1, 3] = start
    refused(tmp_path / "maps.npz", fields, "starts must lie on the 6x9 map, or be -1")


@pytest.mark.parametrize(("number", "label"), [(8, 8), (8, 254), (4, 4)])
def test_a_label_that_is_no_action_is_refused(tmp_path, number, label):
    write_npz(tmp_path / "maps.npz", solved(GridMotion(num_actions=number)))
    with np.load(tmp_path / "maps.npz") as arrays:
        spoilt = dict(arrays)
    spoilt["demonstrated"][0, 3, 3] = label
    refused(tmp_path / "maps.npz", spoilt, f"demonstrated must hold actions below {number}, or 255")


def test_a_set_of_actions_that_do_not_exist_is_refused(tmp_path):
    write_npz(tmp_path / "maps.npz", solved(GridMotion(num_actions=4)))
    with np.load(tmp_path / "maps.npz") as arrays:
        spoilt = dict(arrays)
    spoilt["optimal_actions"][0, 3, 3] = 16
    refused(tmp_path / "maps.npz", spoilt, "optimal_actions must hold sets of 4 actions")


def test_pickled_objects_are_never_loaded(tmp_path, fields):
    class Trap:
        def __reduce__(self):
            return (Path(tmp_path / "sprung").write_text, ("",))

    fields["goal"] = np.array([Trap()], dtype=object)
    refused(tmp_path / "maps.npz", fields, "cannot be read as .npz .*pickled objects")
    assert not (tmp_path / "sprung").exists()


def rebuilt(valid: bytes, member: str, content: bytes) -> bytes:
    """A valid archive with one member's bytes changed, checksums right."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(valid)) as old, zipfile.ZipFile(stream, "w") as new:
        for info in old.infolist():
            new.writestr(info.filename, content if info.filename == member else old.read(info))
    return stream.getvalue()


def npy(shape: tuple[int, ...], descr: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": descr, "fortran_order": False, "shape": shape})
    return stream.getvalue() + content


def test_a_header_that_promises_petabytes_is_refused_at_once(tmp_path, valid):
    path = tmp_path / "maps.npz"
    path.write_bytes(rebuilt(valid, "blocked.npy", npy((1 << 50, 6, 9), "|b1", bytes(100))))
    with pytest.raises(InputError, match=r"its header promises \d{17} bytes, the file has \d+"):
        read_npz(path)


def test_a_text_header_that_says_it_is_huge_is_refused(tmp_path, valid):
    path = tmp_path / "maps.npz"
    header = b"\x93NUMPY\x02\x00" + struct.pack("<I", 0xFFFFFFF0) + b"{"
    path.write_bytes(rebuilt(valid, "blocked.npy", header))
    with pytest.raises(InputError, match=r"cannot be read as \.npz"):
        read_npz(path)


def test_text_that_is_no_unicode_is_bad_input(tmp_path, valid):
    path = tmp_path / "maps.npz"
    path.write_bytes(rebuilt(valid, "schema.npy", npy((), "<U2", b"\xff" * 8)))
    with pytest.raises(InputError) as caught:
        read_npz(path)
    str(caught.value).encode("utf-8", "backslashreplace")  # as standard error does: it can be printed


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_file_cut_off_is_bad_input(tmp_path, valid, share):
    (tmp_path / "maps.npz").write_bytes(valid[: int(share * len(valid))])
    with pytest.raises(InputError, match=r"cannot be read as \.npz .*damaged, cut off or pickled"):
        read_npz(tmp_path / "maps.npz")


def read_or_refuse(content: bytes) -> MapDataset | None:
    """The data set, None for bad input; anything else is a failure."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "maps.npz"
        path.write_bytes(content)
        try:
            return read_npz(path)
        except InputError:
            return None


@settings(max_examples=200)
@given(content=st.binary(max_size=400))
@example(content=b"PK\x05\x06" + bytes(18))
@example(content=b"PK\x03\x04" + bytes(100))
def test_random_bytes_are_bad_input(content):
    assert read_or_refuse(content) is None


@settings(max_examples=200)
@given(places=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_file_is_bad_input_or_what_it_was(tmp_path_factory, valid, places):
    content = bytearray(valid)
    for place, byte in places:
        content[int(place * len(content))] = byte
    dataset = read_or_refuse(bytes(content))
    assert dataset is None or same(dataset, read_or_refuse(valid))


@settings(max_examples=200)
@given(
    member=st.sampled_from(["schema", "version", "num_actions", "corner_cutting", *TENSORS]),
    place=st.floats(0, 1, exclude_max=True),
    byte=st.integers(0, 255),
)
def test_a_damaged_array_with_a_right_checksum_is_bad_input_or_a_data_set(valid, member, place, byte):
    with zipfile.ZipFile(io.BytesIO(valid)) as archive:
        content = bytearray(archive.read(f"{member}.npy"))
    content[int(place * len(content))] = byte
    read_or_refuse(rebuilt(valid, f"{member}.npy", bytes(content)))
