import os
from pathlib import Path

import pytest

from torchvin.errors import InputError
from torchvin.io.files import check_writable, replacing


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_file_appears_whole_and_leaves_nothing_beside_it(tmp_path):
    target = tmp_path / "out.txt"
    with replacing(target) as temporary:
        temporary.write_text("half")
        assert not target.exists()
        temporary.write_text("whole")
    assert target.read_text() == "whole"
    assert names(tmp_path) == ["out.txt"]


def test_a_path_may_be_given_as_text(tmp_path):
    with replacing(str(tmp_path / "out.txt")) as temporary:
        temporary.write_text("text")
    check_writable(str(tmp_path / "out.txt"))
    assert (tmp_path / "out.txt").read_text() == "text"


def test_the_temporary_file_lies_beside_the_target_with_its_suffix(tmp_path):
    with replacing(tmp_path / "picture.png") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".png"


def test_an_error_inside_leaves_an_existing_target_as_it_was(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("before")

    def fail() -> None:
        with replacing(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="the disk is full"):
        fail()
    assert target.read_text() == "before"
    assert names(tmp_path) == ["out.txt"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, SystemExit])
def test_an_error_inside_leaves_no_target_where_there_was_none(tmp_path, error):
    def fail() -> None:
        with replacing(tmp_path / "out.txt") as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert names(tmp_path) == []


def test_an_existing_target_is_replaced(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("a longer text than the next")
    with replacing(target) as temporary:
        temporary.write_text("short")
    assert target.read_text() == "short"


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.parametrize(("umask", "expected"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_permissions_follow_the_umask(tmp_path, umask, expected):
    before = os.umask(umask)
    try:
        with replacing(tmp_path / "out.txt") as temporary:
            temporary.write_text("text")
        left = os.umask(umask)
    finally:
        os.umask(before)
    assert (tmp_path / "out.txt").stat().st_mode & 0o777 == expected
    assert left == umask


def test_missing_folders_are_made(tmp_path):
    with replacing(tmp_path / "a" / "b" / "out.txt") as temporary:
        temporary.write_text("text")
    assert (tmp_path / "a" / "b" / "out.txt").read_text() == "text"


def test_a_folder_as_target_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"cannot write .*: it is a folder; give the name of a file\."):
        check_writable(tmp_path)


def test_a_file_where_a_folder_is_needed_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot write .*file.out\.txt: .*; choose another place\."):
        check_writable(tmp_path / "file" / "out.txt")


def test_checking_leaves_nothing_behind_and_an_existing_file_as_it_was(tmp_path):
    (tmp_path / "out.txt").write_text("before")
    check_writable(tmp_path / "out.txt")
    check_writable(tmp_path / "new.txt")
    assert names(tmp_path) == ["out.txt"]
    assert (tmp_path / "out.txt").read_text() == "before"


def test_a_name_as_long_as_the_file_system_allows_can_be_written(tmp_path):
    target = tmp_path / ("n" * 251 + ".txt")  # 255 bytes, the most that Linux and macOS allow
    with replacing(target) as temporary:
        temporary.write_text("text")
    assert target.read_text() == "text"
