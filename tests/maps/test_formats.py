"""Map files: what is read is what was written, the right way up; whatever else comes is refused in one clear line."""

import dataclasses
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from map_files import BLOCKED, MAP, OCTILE, ROS, SCENARIO_LINE, npy, picture, put, ros
from torchvin.errors import InputError
from torchvin.maps.formats import FORMATS, MapFile, read_map, read_scenarios, write_map, write_scenarios
from torchvin.maps.formats.contract import MAX_CELLS

LOSSLESS = [suffix for suffix in FORMATS if suffix not in (".jpg", ".jpeg")]


class TestEveryFormat:
    @pytest.mark.parametrize("suffix", [*FORMATS, ".PNG", ".Npy"])
    @pytest.mark.parametrize("shape", [(3, 4), (1, 7), (7, 1), (30, 17)])
    def test_round_trip(self, tmp_path: Path, suffix: str, shape: tuple[int, int]) -> None:
        generator = torch.Generator().manual_seed(0)
        blocked = BLOCKED if shape == (3, 4) else torch.rand(shape, generator=generator) < 0.5
        path = tmp_path / f"map{suffix}"
        write_map(path, dataclasses.replace(MAP, blocked=blocked))
        got = read_map(str(path))  # a str will do
        assert got.blocked.dtype == torch.bool
        assert torch.equal(got.blocked, blocked)
        assert got.source == str(path)

    @pytest.mark.parametrize("suffix", LOSSLESS)
    @settings(max_examples=15)
    @given(blocked=hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=9)))
    def test_round_trip_of_any_map(self, tmp_path_factory: pytest.TempPathFactory, suffix: str, blocked) -> None:
        blocked[-1, 0] = False
        path = tmp_path_factory.mktemp("any") / f"map{suffix}"
        write_map(path, MapFile(torch.from_numpy(blocked), resolution=1.0))
        assert torch.equal(read_map(path).blocked, torch.from_numpy(blocked))

    @pytest.mark.usefixtures("_unchecked_shapes")
    @pytest.mark.parametrize("suffix", FORMATS)
    def test_refuses_what_is_no_map(self, tmp_path: Path, suffix: str) -> None:
        path = tmp_path / f"map{suffix}"

        def write(blocked: torch.Tensor) -> None:
            write_map(path, dataclasses.replace(MAP, blocked=blocked, source="mine"))

        with pytest.raises(InputError, match=r"mine: expected at least one free cell, got a 2x3 map of obstacles only"):
            write(torch.ones(2, 3, dtype=torch.bool))
        with pytest.raises(InputError, match=r"mine: expected a map of at least 2 cells, got height 1 and width 1"):
            write(torch.zeros(1, 1, dtype=torch.bool))
        with pytest.raises(InputError, match=r"mine: expected a map of at least 2 cells, got height 0 and width 5"):
            write(torch.zeros(0, 5, dtype=torch.bool))
        with pytest.raises(
            InputError, match=r"mine: expected a map of at most 268435456 cells, got height 1 and width 26"
        ):
            write(torch.zeros(1, 1, dtype=torch.bool).expand(1, MAX_CELLS + 1))
        with pytest.raises(InputError, match=r"mine: expected a map with the shape \[H, W\], got \[1, 2, 3\]"):
            write(torch.zeros(1, 2, 3, dtype=torch.bool))
        with pytest.raises(
            InputError, match=r"mine: blocked must be a bool tensor \(True = obstacle\), got torch.uint8"
        ):
            write(torch.zeros(2, 3, dtype=torch.uint8))
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("suffix", FORMATS)
    def test_refuses_a_file_of_obstacles_or_of_one_cell(self, tmp_path: Path, suffix: str) -> None:
        path = tmp_path / f"map{suffix}"
        for shape, message in (((2, 3), "at least one free cell, got a 2x3 map"), ((1, 1), "at least 2 cells, got")):
            blocked = np.ones(shape, dtype=bool)
            if suffix == ".map":
                rows = "@" * shape[1] + "\n"
                put(path, f"type octile\nheight {shape[0]}\nwidth {shape[1]}\nmap\n" + rows * shape[0])
            elif suffix == ".npy":
                put(path, npy(blocked))
            elif suffix in (".yaml", ".yml"):
                ros(tmp_path, np.zeros(shape)).replace(path)
            else:
                picture(path, np.zeros(shape))
            with pytest.raises(InputError, match=f"map.*: expected .*{message}"):
                read_map(path)

    @pytest.mark.parametrize("suffix", FORMATS)
    def test_missing_folder_empty(self, tmp_path: Path, suffix: str) -> None:
        with pytest.raises(InputError, match=r"cannot read '.*gone.*': No such file or directory; give the path of an"):
            read_map(tmp_path / f"gone{suffix}")
        (tmp_path / f"folder{suffix}").mkdir()
        with pytest.raises(InputError, match=r"cannot read '.*folder.*': it is a folder"):
            read_map(tmp_path / f"folder{suffix}")
        with pytest.raises(InputError, match=r"cannot write .*: it is a folder"):
            write_map(tmp_path / f"folder{suffix}", MAP)
        with pytest.raises(InputError, match=r"empty.*expected"):
            read_map(put(tmp_path / f"empty{suffix}", ""))

    def test_refuses_names_and_devices(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"cannot read 'a\\x00.map': embedded null byte"):
            read_map("a\0.map")
        (tmp_path / "pipe.map").symlink_to("/dev/zero")
        with pytest.raises(InputError, match=r"pipe.map': it is not an ordinary file"):
            read_map(tmp_path / "pipe.map")

    def test_refuses_an_unreadable_file(self, tmp_path: Path) -> None:
        path = put(tmp_path / "secret.map", OCTILE)
        path.chmod(0)
        try:
            path.open("rb").close()
        except PermissionError:
            with pytest.raises(InputError, match=r"secret.map': Permission denied"):
                read_map(path)
        else:
            pytest.skip("this user may read everything")

    def test_unknown_suffix(self, tmp_path: Path) -> None:
        message = r"map.pngg: unknown map format '.pngg'. Did you mean '.png'\? Choose one of: .map, .yaml, .yml, .png"
        with pytest.raises(InputError, match=message):
            read_map(tmp_path / "map.pngg")
        with pytest.raises(InputError, match=message):
            write_map(tmp_path / "map.pngg", MAP)
        with pytest.raises(InputError, match=r"is a folder; give the name of a map file \(.map, .yaml"):
            read_map(tmp_path)

    def test_threshold_is_for_images(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"a threshold is for images only, this is a MovingAI map; leave"):
            read_map(put(tmp_path / "a.map", OCTILE), threshold=0.5)
        for wrong in (0.0, -1.0, 1.1, float("nan")):
            with pytest.raises(
                InputError, match=r"the threshold must be above 0 \(black\) and at most 1 \(white\), got"
            ):
                read_map(picture(tmp_path / "a.png", [[0, 255]]), threshold=wrong)

    @pytest.mark.parametrize(
        ("suffix", "target"),
        [
            (".map", "numpy.where"),
            (".yaml", "yaml.safe_dump"),
            (".yaml", "PIL.Image.Image.save"),
            (".png", "PIL.Image.Image.save"),
            (".npy", "numpy.save"),
        ],
    )
    def test_nothing_is_half_written(self, tmp_path: Path, monkeypatch, suffix: str, target: str) -> None:
        path = tmp_path / f"map{suffix}"
        write_map(path, MAP)
        before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

        def fail(*_: object, **__: object) -> None:
            raise OSError("disk full")

        monkeypatch.setattr(target, fail)
        with pytest.raises(OSError, match="disk full"):
            write_map(path, dataclasses.replace(MAP, blocked=~BLOCKED))
        assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before

    def test_import_is_light(self) -> None:
        code = "import sys, torchvin.maps.formats; sys.exit(any(name in sys.modules for name in ('PIL', 'yaml')))"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bytes")


@pytest.fixture(scope="module")
def files(folder: Path) -> dict[str, bytes]:
    """A valid file of every format, and the image of the ROS map under `image of .yaml`."""
    files = {}
    for suffix in FORMATS:
        write_map(folder / f"map{suffix}", MAP)
        files[suffix] = (folder / f"map{suffix}").read_bytes()
    buffer = io.BytesIO()
    Image.fromarray(np.full((3, 4, 4), 255, dtype=np.uint8)).save(buffer, format="PNG")
    return files | {"image of .yaml": buffer.getvalue()}


@pytest.mark.filterwarnings("error")
class TestAnyBytes:
    """Whatever lies in the file: a valid map or InputError of one line, nothing else."""

    @staticmethod
    def read(folder: Path, name: str, content: bytes, threshold: float | None = None) -> None:
        path = folder / f"map{name}"
        if name == "image of .yaml":
            put(folder / "map.pgm", content)
            path = put(folder / "map.yaml", yaml.safe_dump(ROS | {"mode": "scale"}))
        else:
            put(path, content)
        try:
            blocked = read_map(path, threshold=threshold).blocked
        except InputError as error:
            message = str(error)
            assert str(folder) in message
            assert "\n" not in message
        else:
            assert blocked.dtype == torch.bool
            assert blocked.dim() == 2
            assert not blocked.all()

    @pytest.mark.parametrize("name", [*FORMATS, "image of .yaml"])
    @settings(max_examples=60)
    @given(content=st.binary(max_size=200))
    def test_random(self, folder: Path, name: str, content: bytes) -> None:
        self.read(folder, name, content)

    @pytest.mark.parametrize("name", [*FORMATS, "image of .yaml"])
    @settings(max_examples=100)
    @given(data=st.data())
    def test_mutated(self, folder: Path, files: dict[str, bytes], name: str, data: st.DataObject) -> None:
        content = bytearray(files[name])
        for _ in range(data.draw(st.integers(1, 3))):
            place = data.draw(st.integers(0, len(content)))
            # digits and signs make other numbers of the text headers; any byte breaks the binary ones
            patch = data.draw(st.binary(max_size=4) | st.text("0123456789-.e[]{}*&\n", max_size=9).map(str.encode))
            content[place : place + data.draw(st.integers(0, 4))] = patch
        threshold = (
            data.draw(st.sampled_from([None, 0.5])) if name in FORMATS and FORMATS[name].takes_threshold else None
        )
        self.read(folder, name, bytes(content), threshold)

    @pytest.mark.parametrize("name", [*FORMATS, "image of .yaml"])
    def test_truncated(self, folder: Path, files: dict[str, bytes], name: str) -> None:
        content = files[name]
        for length in sorted({*range(min(len(content), 160)), *range(0, len(content), 7)}):
            self.read(folder, name, content[:length])

    @settings(max_examples=150)
    @given(
        value=st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
            max_leaves=5,
        ),
        key=st.sampled_from([*ROS, "mode"]),
    )
    def test_any_entry_of_a_ros_map(self, folder: Path, key: str, value: object) -> None:
        picture(folder / "map.pgm", [[0, 255]])
        self.read(folder, ".yaml", yaml.safe_dump(ROS | {key: value}).encode())

    @settings(max_examples=150)
    @given(data=st.data())
    def test_scenarios(self, folder: Path, data: st.DataObject) -> None:
        content = bytearray(b"version 1\n" + 2 * SCENARIO_LINE.encode())
        place = data.draw(st.integers(0, len(content)))
        patch = data.draw(st.binary(max_size=4) | st.text("0123456789-.e\t\n", max_size=9).map(str.encode))
        content[place : place + data.draw(st.integers(0, 20))] = patch
        path = put(folder / "map.scen", bytes(content))
        try:
            scenarios = read_scenarios(path)
        except InputError as error:
            message = str(error)
            assert str(path) in message
        else:
            write_scenarios(folder / "again.scen", scenarios)
