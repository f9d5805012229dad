"""Maps as NumPy arrays: any type that holds 0 and 1 only, and nothing is ever unpickled."""

import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from map_files import BLOCKED, cells, npy, put
from torchvin.errors import InputError
from torchvin.maps.formats import read_map, write_map


def npy_header(text: str, version: bytes = b"\x01\x00") -> bytes:
    return b"\x93NUMPY" + version + struct.pack("<H", len(text) + 1) + text.encode() + b"\n"


class TestNumpy:
    @pytest.mark.parametrize("dtype", [bool, "u1", "<i8", ">i4", "<f4", ">f8", "f2", "longdouble"])
    @pytest.mark.parametrize("order", ["C", "F"])
    def test_types_and_orders(self, tmp_path: Path, dtype: str, order: str) -> None:
        array = np.array(BLOCKED.numpy(), dtype=dtype, order=order)
        assert torch.equal(read_map(put(tmp_path / "a.npy", npy(array))).blocked, BLOCKED)

    @pytest.mark.parametrize("dtype", ["i1", "<i4", "<f4"])
    def test_occupancy_grids(self, tmp_path: Path, dtype: str) -> None:
        for grid, blocked in (([[0, 100, -1]], [[0, 1, 1]]), ([[0, -1]], [[0, 1]]), ([[100, 0]], [[1, 0]])):
            assert cells(read_map(put(tmp_path / "a.npy", npy(np.array(grid, dtype))))) == blocked

    @pytest.mark.parametrize(
        ("grid", "hint", "blocked"),
        [
            (np.array([[0, 255, 40]], "u1"), "grid < 128", [[1, 0, 1]]),
            (np.array([[0, 254, 40]], "u1"), "grid > 0", [[0, 1, 1]]),
            (np.array([[0, 50, -1]]), "grid != 0", [[0, 1, 1]]),
            (np.array([[0, 1, -1]]), "grid != 0", [[0, 1, 1]]),
            (np.array([[0.1, 0.5, 0.9]]), "grid >= 0.5", [[0, 1, 1]]),
            (np.array([[0, np.nan, 1]]), "grid != 0", [[0, 1, 1]]),
        ],
    )
    def test_hints_are_right_when_followed(
        self, tmp_path: Path, grid: np.ndarray, hint: str, blocked: list[list[int]]
    ) -> None:
        with pytest.raises(InputError, match=hint):
            read_map(put(tmp_path / "a.npy", npy(grid)))
        followed = eval(hint, {"grid": grid})
        assert cells(read_map(put(tmp_path / "b.npy", npy(followed)))) == blocked

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (
                npy(np.array([[0, 2]])),
                r"a.npy: expected only 0 \(free\) and 1 \(blocked\), got 2 at row 0, col 1; save a",
            ),
            (npy(np.array([[0, 1], [0.5, 0]])), r"got 0.5 at row 1, col 0"),
            (npy(np.array([[0, np.nan]])), r"got nan at row 0, col 1"),
            (npy(np.array([[0, 1, -1]])), r"got -1 at.*; this looks like an occupancy grid; save grid != 0"),
            (npy(np.array([[0, 50, -1]])), r"got 50 at.*save grid != 0"),
            (npy(np.array([[0, 255]], "u1")), r"got 255 at.*save grid < 128 if this is a picture"),
            (
                npy(np.zeros((1, 2, 3))),
                r"expected an array \[H, W\] of bool or numbers, got the shape \[1, 2, 3\] of float",
            ),
            (npy(np.zeros(3)), r"got the shape \[3\] of float64"),
            (npy(np.array(["a", "b"])[None]), r"got the shape \[1, 2\] of <U1"),
            (npy(np.zeros((2, 2), complex)), r"got the shape \[2, 2\] of complex128"),
            (npy(np.zeros((2, 2), "M8[s]")), r"got the shape \[2, 2\] of datetime64"),
            (npy(np.zeros((2, 2), [("a", "f4")])), r"got the shape \[2, 2\] of \[\('a', '<f4'\)\]"),
            (npy(np.array([[None, 1]]), allow_pickle=True), r"got the shape \[1, 2\] of object"),
            (npy(np.zeros((0, 3))), r"expected a map of at least 2 cells, got height 0 and width 3"),
            (
                npy(np.zeros((4, 4)))[:-1],
                r"expected 128 bytes for the shape \[4, 4\] of float64, got 127; the file is tr",
            ),
            (npy(np.zeros((4, 4))) + b"x", r"expected 128 bytes for the shape \[4, 4\] of float64, got 129"),
            (b"PK\x03\x04 a zip", r"expected a .npy array \(version 1 or 2\), got what cannot be read"),
            (b"\x93NUMPY\x09\x00", r"expected a .npy array \(version 1 or 2\), got what cannot be read"),
            (
                npy_header("{'descr': '|b1', 'fortran_order': False, 'shape': (16000, 16000)}"),
                r"expected 256000000 bytes for the shape \[16000, 16000\] of bool, got 0",
            ),
            (
                npy_header(
                    "{'descr': '|b1', 'fortran_order': False, 'shape': (10**9, 10**9)}".replace("10**9", "9" * 9)
                ),
                r"expected a map of at most 268435456 cells",
            ),
            (
                npy_header("{'descr': '|b1', 'fortran_order': False, 'shape': (-2, -2)}"),
                r"expected a map of at least 2 cells, got height -2 and width -2",
            ),
        ],
    )
    def test_refuses(self, tmp_path: Path, content: bytes, message: str) -> None:
        with pytest.raises(InputError, match=message):
            read_map(put(tmp_path / "a.npy", content))

    def test_header_of_python_2(self, tmp_path: Path) -> None:
        header = npy_header("{'descr': '|b1', 'fortran_order': False, 'shape': (1L, 2L)}")
        assert cells(read_map(put(tmp_path / "a.npy", header + b"\x01\x00"))) == [[1, 0]]  # and no warning leaks

    def test_never_unpickles(self, tmp_path: Path, monkeypatch) -> None:
        def fail(*_: object, **__: object) -> None:
            raise AssertionError("unpickled")

        content = npy(np.array([[None, 1]]), allow_pickle=True)
        monkeypatch.setattr("pickle.load", fail)
        with pytest.raises(InputError, match="of object"):
            read_map(put(tmp_path / "a.npy", content))


def test_unknown_and_grades_of_arrays(tmp_path: Path) -> None:
    np.save(tmp_path / "grid.npy", np.array([[0, 100, -1]], dtype=np.int8))
    seen = read_map(tmp_path / "grid.npy")
    assert seen.unknown is not None
    assert (seen.blocked.tolist(), seen.unknown.tolist()) == ([[False, True, True]], [[False, False, True]])
    np.save(tmp_path / "grid.npy", np.array([[0, 100, -1, 25]], dtype=np.int8))
    with pytest.raises(InputError, match="25"):
        read_map(tmp_path / "grid.npy")
    graded = read_map(tmp_path / "grid.npy", grades=True)
    assert graded.grade is not None
    assert graded.grade.tolist() == [[0.0, 0.0, 0.0, 0.25]]
    assert graded.blocked.tolist() == [[False, True, True, True]]
    np.save(tmp_path / "grid.npy", np.array([[0.0, 1.0, 0.5, np.nan]]))
    with pytest.raises(InputError, match="expected grades from 0"):
        read_map(tmp_path / "grid.npy", grades=True)
    with pytest.raises(InputError, match="a threshold leaves no grades"):
        write_map(tmp_path / "map.png", seen)
        read_map(tmp_path / "map.png", grades=True, threshold=0.5)
