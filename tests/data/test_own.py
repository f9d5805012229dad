"""Data sets of a user's own maps, of every kind of source, good and bad."""

import numpy as np
import pytest
import torch
from scipy.io import savemat

from authors_files import ROOM_GOAL, SNAKE_GOAL, training_contents
from torchvin.data.dataset import solve_maps
from torchvin.data.draw import draw_maps
from torchvin.data.npz import write_npz
from torchvin.data.own import dataset_from, reached_cells
from torchvin.errors import InputError
from torchvin.maps.formats import MapFile, write_map
from torchvin.mdp.motion import DifferentialDrive, GridMotion

NAMES = {"movingai": ["a.map", "b.map"], "images": ["a.png", "b.png"], "numpy": ["a.npy", "b.npy"]}
MIXED = ["a.map", "b.png", "c.npy", "d.bmp"]


def rooms(number, height=5, width=7):
    """Maps with one obstacle each, in another place, and all else free."""
    blocked = torch.zeros(number, height, width, dtype=torch.bool)
    for index in range(number):
        blocked[index, 1 + index % 3, 2 + index // 3] = True
    return blocked


def write_folder(folder, names, blocked=None):
    folder.mkdir(exist_ok=True)
    blocked = rooms(len(names)) if blocked is None else blocked
    for name, one in zip(names, blocked, strict=True):
        write_map(folder / name, MapFile(one, resolution=0.05))
    return blocked


@pytest.fixture
def folder(tmp_path):
    write_folder(tmp_path / "maps", MIXED)
    return tmp_path / "maps"


@pytest.mark.parametrize("names", [*NAMES.values(), MIXED], ids=[*NAMES, "mixed"])
def test_a_folder_is_read_in_the_order_of_its_names(tmp_path, names):
    blocked = write_folder(tmp_path / "maps", names)
    dataset = dataset_from(tmp_path / "maps")
    assert torch.equal(dataset.blocked, blocked)
    assert dataset.moves == GridMotion()
    assert dataset.source == "own"


def test_a_ros_map_counts_once_and_its_corners_are_not_cut(tmp_path):
    blocked = write_folder(tmp_path / "maps", ["a.yaml", "b.map"])
    assert (tmp_path / "maps" / "a.pgm").is_file()
    dataset = dataset_from(tmp_path / "maps")
    assert torch.equal(dataset.blocked, blocked)
    assert dataset.moves == GridMotion(corner_cutting=False)
    assert dataset_from(tmp_path / "maps", moves=GridMotion()).moves == GridMotion()


def test_what_is_no_map_is_left_out(folder):
    (folder / "README.txt").write_text("of no use")
    (folder / ".hidden.map").write_text("nor this")
    (folder / "older").mkdir()
    assert len(dataset_from(folder)) == len(MIXED)


def test_the_answers_are_those_of_the_expert(folder):
    goals = np.array([[0, 0], [1, 1], [4, 6], [2, 5]])
    np.save(folder / "goals.npy", goals)
    dataset = dataset_from(str(folder), str(folder / "goals.npy"), seed=3, num_demonstrations=2)
    expected = solve_maps(rooms(4), torch.from_numpy(goals), seed=3, num_demonstrations=2)
    for name in ("blocked", "goal", "optimal_actions", "demonstrated", "starts"):
        assert torch.equal(getattr(dataset, name), getattr(expected, name)), name


def test_maps_solved_in_several_parts_have_the_same_answers(tmp_path, monkeypatch):
    np.save(tmp_path / "maps.npy", rooms(5).numpy())
    whole = dataset_from(tmp_path / "maps.npy")
    monkeypatch.setattr("torchvin.data.own._STATES_AT_ONCE", 2 * 5 * 7)
    parts = dataset_from(tmp_path / "maps.npy")
    assert torch.equal(whole.blocked, parts.blocked)
    assert torch.equal(whole.goal, parts.goal)
    assert torch.equal(whole.optimal_actions, parts.optimal_actions)
    assert not torch.equal(parts.starts[0], parts.starts[2])  # each part draws its own starts


@pytest.mark.parametrize(
    "text", ["0,0\n1,1\n4,6\n2,5\n", "row,col\r\n0,0\r\n1, 1\r\n4,6\r\n\r\n2,5", "# goals\n0 0\n1 1\n4 6\n2 5"]
)
@pytest.mark.parametrize("suffix", ["csv", "txt"])
def test_goals_of_a_text_file(folder, tmp_path, text, suffix):
    path = tmp_path / f"goals.{suffix}"
    path.write_text(text)
    assert dataset_from(folder, path).goal.tolist() == [[0, 0], [1, 1], [4, 6], [2, 5]]


def test_drawn_goals_are_seeded_and_can_be_reached(tmp_path, draw):
    lonely = draw("..#.", "..#.", "####", "#.#.")  # (3, 1) and (3, 3) have no way in, nor has a cell of the right
    np.save(tmp_path / "maps.npy", lonely.expand(200, -1, -1).numpy())
    goals = dataset_from(tmp_path / "maps.npy", seed=5).goal
    assert torch.equal(goals, dataset_from(tmp_path / "maps.npy", seed=5).goal)
    assert not torch.equal(goals, dataset_from(tmp_path / "maps.npy", seed=6).goal)
    assert {tuple(goal) for goal in goals.tolist()} == {(0, 0), (0, 1), (1, 0), (1, 1), (0, 3), (1, 3)}


def test_the_places_for_a_goal_depend_on_the_moves(draw):
    blocked = draw(".#", "#.")
    assert reached_cells(blocked, GridMotion()).tolist() == [[True, False], [False, True]]
    assert not reached_cells(blocked, GridMotion(corner_cutting=False)).any()
    assert not reached_cells(draw(".#."), DifferentialDrive()).any()  # turning leads to no other cell
    assert reached_cells(draw("..#"), DifferentialDrive()).tolist() == [[True, True, False]]


def test_an_agent_with_orientations_gets_drawn_ones(folder):
    dataset = dataset_from(folder, moves=DifferentialDrive())
    assert dataset.goal.shape == (4, 3)
    assert dataset.optimal_actions.shape == (4, 4, 5, 7)


def test_one_map_file_is_a_data_set_of_one(folder):
    assert torch.equal(dataset_from(folder / "a.map").blocked, rooms(1))


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.float64])
def test_an_array_is_one_map_or_several(tmp_path, dtype):
    np.save(tmp_path / "several.npy", rooms(3).numpy().astype(dtype))
    np.save(tmp_path / "one.npy", rooms(1)[0].numpy().astype(dtype))
    assert torch.equal(dataset_from(tmp_path / "several.npy").blocked, rooms(3))
    assert torch.equal(dataset_from(tmp_path / "one.npy").blocked, rooms(1))


@pytest.mark.parametrize(("maps", "goals"), [("blocked", "goal"), ("maps", "goals")])
def test_a_plain_npz_holds_maps_and_perhaps_goals(tmp_path, maps, goals):
    np.savez(tmp_path / "plain.npz", **{maps: rooms(2).numpy(), goals: np.array([[0, 0], [4, 6]])})
    assert dataset_from(tmp_path / "plain.npz").goal.tolist() == [[0, 0], [4, 6]]
    np.savez(tmp_path / "maps.npz", **{maps: rooms(2).numpy()})
    assert dataset_from(tmp_path / "maps.npz").goal.shape == (2, 2)


def test_a_data_set_keeps_its_goals_moves_and_terrain(tmp_path):
    before = draw_maps("maze", 3, 9, 9, moves=DifferentialDrive(), terrain_costs=(1.0, 3.0))
    write_npz(tmp_path / "maps.npz", before)
    after = dataset_from(tmp_path / "maps.npz")
    for name in ("blocked", "goal", "optimal_actions", "terrain"):
        assert torch.equal(getattr(before, name), getattr(after, name)), name
    assert after.moves == DifferentialDrive()
    assert dataset_from(tmp_path / "maps.npz", moves=GridMotion(4)).goal.tolist() == before.goal[:, 1:].tolist()


def test_a_file_of_the_authors_keeps_its_goals(tmp_path):
    savemat(tmp_path / "authors.mat", training_contents())
    dataset = dataset_from(tmp_path / "authors.mat")
    assert dataset.goal.tolist() == [list(SNAKE_GOAL), list(ROOM_GOAL)]
    assert (dataset.source, dataset.moves) == ("authors", GridMotion())
    (tmp_path / "goals.txt").write_text("0,0\n0,0\n")
    assert dataset_from(tmp_path / "authors.mat", tmp_path / "goals.txt").source == "own"


def test_grey_images_need_a_threshold(tmp_path):
    from PIL import Image

    (tmp_path / "maps").mkdir()
    grey = np.where(rooms(1)[0].numpy(), 60, 200).astype(np.uint8)
    Image.fromarray(grey).save(tmp_path / "maps" / "a.png")
    write_folder(tmp_path / "maps", ["b.map"], rooms(1))
    with pytest.raises(InputError, match=r"a\.png"):
        dataset_from(tmp_path / "maps")
    assert torch.equal(dataset_from(tmp_path / "maps", threshold=0.5).blocked, rooms(1).expand(2, -1, -1))


@pytest.mark.parametrize(("seconds", "shown"), [(0.0, True), (60.0, False)])
def test_work_that_takes_longer_shows_how_far_it_is(folder, monkeypatch, capsys, seconds, shown):
    monkeypatch.setattr("torchvin.data.own._SECONDS_WITHOUT_BAR", seconds)
    dataset_from(folder, show_progress=True)
    error = capsys.readouterr().err
    assert ("reading maps: 4/4" in error) == ("solving maps: 4/4" in error) == shown
    dataset_from(folder)
    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,0\n1,1\n", r"one goal for each of the 4 maps, in their order \(files: by name\), got 2"),
        ("0,0\n1,1\n2,x\n2,5\n", r"goals\.csv, line 3: expected ROW,COL such as 3,14, got '2,x'"),
        ("0,0\n1,1\n2,2,2\n2,5\n", r"goals\.csv, line 3: expected ROW,COL"),
        ("0,0\n1.5,1\n2,2\n2,5\n", r"goals\.csv, line 2: expected ROW,COL"),
        ("", r"goals\.csv: expected one ROW,COL per line and map, got no line"),
        ("0,0\n1,1\n2,9\n2,5\n", r"c\.npy: the goal 2,9 lies off the 5x7 map"),
        ("0,0\n-1,1\n2,2\n2,5\n", r"b\.png: the goal -1,1 lies off the 5x7 map"),
        ("1,2\n1,1\n2,2\n2,5\n", r"a\.map: the goal 1,2 lies on an obstacle"),
    ],
)
def test_bad_goals_name_the_file(folder, tmp_path, text, message):
    (tmp_path / "goals.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        dataset_from(folder, tmp_path / "goals.csv")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("goals.json", b"{}", r"goals\.json: expected goals in \.npy, \.csv, \.txt, got \.json"),
        ("goals.npy", b"no", r"goals\.npy: cannot be read as \.npy"),
        ("goals.csv", b"\xff\xfe\x00", r"goals\.csv: expected text"),
    ],
)
def test_goals_of_another_kind(folder, tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        dataset_from(folder, tmp_path / name)


def test_goals_that_are_absent(folder):
    with pytest.raises(InputError, match=r"cannot read '.*absent\.csv'"):
        dataset_from(folder, folder / "absent.csv")


@pytest.mark.parametrize("goals", [np.zeros((4, 4)), np.zeros(4), np.full((4, 2), 0.5), np.array([["a", "b"]] * 4)])
def test_an_array_that_holds_no_goals(folder, tmp_path, goals):
    np.save(tmp_path / "goals.npy", goals)
    with pytest.raises(InputError, match=r"goals\.npy"):
        dataset_from(folder, tmp_path / "goals.npy")


def test_sizes_that_differ_name_two_files(tmp_path):
    write_folder(tmp_path / "maps", ["a.map"], rooms(1))
    write_folder(tmp_path / "maps", ["b.png"], rooms(1, height=6))
    with pytest.raises(InputError, match=r"a\.map has 5x7 cells and .*b\.png has 6x7; crop them"):
        dataset_from(tmp_path / "maps")


def test_a_map_without_a_place_for_a_goal_is_named(tmp_path, draw):
    write_folder(tmp_path / "maps", ["a.map", "b.npy"], [draw("...", "..."), draw(".##", "##.")])
    with pytest.raises(InputError, match=r"b\.npy: no free cell can be reached from another"):
        dataset_from(tmp_path / "maps")


def test_a_goal_without_a_way_is_named(tmp_path, draw):
    write_folder(tmp_path / "maps", ["a.map", "b.npy"], [draw("....", "...."), draw("..#.", "..##")])
    (tmp_path / "goals.csv").write_text("0,0\n0,3\n")
    with pytest.raises(InputError, match=r"b\.npy: the goal 0,3 cannot be reached from any other cell"):
        dataset_from(tmp_path / "maps", tmp_path / "goals.csv")


def test_a_damaged_file_of_a_folder_is_named(folder):
    (folder / "b.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"b\.png"):
        dataset_from(folder)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"grid": np.zeros((2, 3, 4))}, "expected one array named blocked or maps, .*got grid"),
        ({"blocked": np.zeros((2, 3, 4)), "maps": np.zeros((2, 3, 4))}, "got blocked, maps"),
        ({"maps": np.zeros((2, 3, 4, 5))}, r"expected maps \[M, H, W\] or one map"),
        ({"maps": np.full((2, 3, 4), 7)}, r"only 0 \(free\) and 1 \(blocked\), got 7 at map 0, row 0, col 0"),
        ({"maps": np.ones((2, 3, 4))}, "map 0: expected at least one free cell"),
        ({"maps": np.zeros((2, 3, 4)), "goal": np.zeros((3, 2))}, "one goal for each of the 2 maps"),
        ({"maps": np.array([{}], dtype=object)}, "pickled"),
    ],
)
def test_a_plain_npz_that_holds_no_maps(tmp_path, arrays, message):
    np.savez(tmp_path / "plain.npz", **arrays)
    with pytest.raises(InputError, match=message):
        dataset_from(tmp_path / "plain.npz")


def test_other_sources(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"expected map files .* in this folder, got no files"):
        dataset_from(tmp_path / "empty")
    (tmp_path / "empty" / "map.tif").write_text("")
    with pytest.raises(InputError, match=r"in this folder, got \.tif"):
        dataset_from(tmp_path / "empty")
    with pytest.raises(InputError, match=r"expected a folder of map files, .*, got \.tif"):
        dataset_from(tmp_path / "empty" / "map.tif")
    with pytest.raises(InputError, match=r"cannot read '.*absent'"):
        dataset_from(tmp_path / "absent")
    (tmp_path / "maps.npy").write_bytes(b"no")
    with pytest.raises(InputError, match=r"maps\.npy: cannot be read as \.npy"):
        dataset_from(tmp_path / "maps.npy")
    with pytest.raises(InputError, match="a seed must not be negative"):
        dataset_from(tmp_path / "maps.npy", seed=-1)
