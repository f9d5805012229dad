import io

import numpy as np
import pytest

from torchvin.io.npy import read_npy


def saved(array: np.ndarray, version: tuple[int, int] = (1, 0), **options: bool) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version=version, **options)
    return stream.getvalue()


def read(content: bytes) -> np.ndarray:
    return read_npy(io.BytesIO(content), len(content))


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.int32).reshape(3, 4),
        np.asfortranarray(np.arange(12, dtype=np.float64).reshape(3, 4)),
        np.array(7, dtype=np.uint8),
        np.zeros((0, 5), dtype=np.bool_),
        np.array("text"),
    ],
    ids=["rows first", "columns first", "scalar", "empty", "text"],
)
def test_what_numpy_writes_comes_back_writable(array, version):
    got = read(saved(array, version))
    assert got.dtype == array.dtype
    assert got.flags.writeable
    np.testing.assert_array_equal(got, array)


def test_objects_are_never_unpickled():
    with pytest.raises(ValueError, match="pickled objects, which are never loaded"):
        read(saved(np.array([{"a": 1}], dtype=object), allow_pickle=True))


def test_a_header_that_promises_more_than_the_file_holds_is_refused_before_memory_is_taken():
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": (1 << 40, 1 << 10)})
    with pytest.raises(ValueError, match=f"its header promises {1 << 53} bytes, the file has "):
        read(stream.getvalue())


def test_an_array_cut_off_is_refused():
    content = saved(np.arange(100, dtype=np.int64))
    with pytest.raises(ValueError, match="it ends after 796 of 800 bytes"):
        read(content[:-4])


def test_a_newer_version_of_the_format_is_refused():
    with pytest.raises(ValueError, match=r"version \(3, 0\) is not supported"):
        read(saved(np.arange(3), (3, 0)))


def test_a_negative_size_is_refused():
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<i4", "fortran_order": False, "shape": (-2,)})
    with pytest.raises(ValueError, match=r"."):
        read(stream.getvalue() + bytes(64))
