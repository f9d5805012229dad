"""Maps of ROS: thresholds, modes and colours as its map server has them, and the entries that are refused."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from map_files import BLOCKED, MAP, ROS, cells, picture, put, ros
from torchvin.errors import InputError
from torchvin.maps.formats import MapFile, read_map, write_map


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

    def test_unknown_cells_are_a_class_of_their_own(self, tmp_path: Path) -> None:
        seen = read_map(ros(tmp_path, [[0, 205, 254, 120]]))
        assert seen.unknown is not None
        assert seen.unknown.tolist() == [[False, True, False, True]]
        assert (seen.grade, seen.notes) == (None, ())
        write_map(tmp_path / "again.yaml", seen)
        again = read_map(tmp_path / "again.yaml")
        assert again.unknown is not None
        assert (cells(again), again.unknown.tolist()) == (cells(seen), seen.unknown.tolist())
        assert np.asarray(Image.open(tmp_path / "again.pgm")).tolist() == [[0, 205, 254, 205]]

    def test_free_thresh_of_nav2_does_not_free_unknown_cells(self, tmp_path: Path) -> None:
        for pixels, image in (
            ([[0, 205, 206, 254]], "map.pgm"),
            ([[[g, g, g, 255] for g in (0, 205, 206, 254)]], "map.png"),
        ):
            seen = read_map(ros(tmp_path, pixels, image=image, free_thresh=0.25))
            assert cells(seen) == [[1, 1, 0, 0]]
            assert seen.unknown is not None
            assert seen.unknown.tolist() == [[False, True, False, False]]
            assert "free_thresh 0.25 would make the grey 205 free" in seen.notes[0]
        assert read_map(ros(tmp_path, [[0, 254]], free_thresh=0.25)).notes == ()

    def test_grades_lie_between_free_and_occupied(self, tmp_path: Path) -> None:
        seen = read_map(ros(tmp_path, [[0, 127, 254, 255]], mode="scale", occupied_thresh=0.9, free_thresh=0.1))
        assert seen.grade is not None
        assert seen.grade[0].tolist() == pytest.approx([0, 0.5, 0, 0], abs=0.01)
        assert cells(seen) == [[1, 1, 0, 0]]
        raw = read_map(ros(tmp_path, [[0, 50, 100, 101]], mode="raw", occupied_thresh=0.9, free_thresh=0.1))
        assert raw.grade is not None
        assert raw.unknown is not None
        assert raw.grade[0].tolist() == pytest.approx([0, 0.5, 0, 0], abs=0.01)
        assert raw.unknown.tolist() == [[False, False, False, True]]

    def test_negate(self, tmp_path: Path) -> None:
        assert cells(read_map(ros(tmp_path, [[0, 40, 60, 205, 254]], negate=1))) == [[0, 0, 1, 1, 1]]
        assert cells(read_map(ros(tmp_path, [[0, 40, 60, 205, 254]], negate=True))) == [[0, 0, 1, 1, 1]]

    def test_scale(self, tmp_path: Path) -> None:
        assert cells(read_map(ros(tmp_path, [[0, 100, 204, 254]], mode="scale"))) == [[1, 1, 1, 0]]
        opaque, half = [255, 255, 255, 255], [255, 255, 255, 254]
        path = ros(tmp_path, [[opaque, half, [0, 0, 0, 255]]], image="map.png", mode="scale")
        assert cells(read_map(path)) == [[0, 1, 1]]  # what is not opaque is unknown

    def test_a_grade_that_rounds_to_zero_is_free(self, tmp_path: Path) -> None:
        # grades 100 * p: 254 has 0.39, 253 has 0.78
        path = ros(tmp_path, [[0, 253, 254, 255]], mode="scale", occupied_thresh=1.0, free_thresh=0.0)
        assert cells(read_map(path)) == [[1, 1, 0, 0]]
        path = ros(tmp_path, [[0, 253, 254, 255]], mode="scale", occupied_thresh=0.3, free_thresh=0.5)
        assert cells(read_map(path)) == [[1, 0, 0, 0]]  # thresholds that cross leave nothing to grade

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

    @pytest.mark.parametrize("mode", ["trinary", "scale", "raw"])
    def test_alpha_that_is_opaque_changes_nothing(self, tmp_path: Path, mode: str) -> None:
        greys = [0, 15, 100, 205, 230, 254, 255]
        with_alpha = read_map(ros(tmp_path, [[[g, g, g, 255] for g in greys]], image="map.png", mode=mode))
        assert cells(with_alpha) == cells(read_map(ros(tmp_path, [greys], mode=mode)))

    def test_what_is_not_opaque_is_unknown_in_trinary(self, tmp_path: Path) -> None:
        pixels = [[[255, 255, 255, 0], [255, 255, 255, 254], [255, 255, 255, 255], [0, 0, 0, 255]]]
        assert cells(read_map(ros(tmp_path, pixels, image="map.png"))) == [[1, 1, 0, 1]]

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
