import pytest
import torch

from torchvin.data.dataset import solve_maps
from torchvin.data.npz import write_npz
from torchvin.data.read import read_dataset
from torchvin.data.write import write_dataset
from torchvin.errors import InputError
from torchvin.maps.formats import MapFile, write_map
from torchvin.maps.generators.gridworld import generate_gridworld


def test_an_npz_is_read_by_its_suffix(tmp_path):
    write_npz(tmp_path / "maps.npz", solve_maps(*generate_gridworld(2, 8)))
    assert len(read_dataset(tmp_path / "maps.npz")) == 2


def test_a_mat_is_read_by_its_suffix(tmp_path):
    (tmp_path / "maps.mat").write_bytes(b"no")
    with pytest.raises(InputError, match="cannot be read as a MATLAB file"):
        read_dataset(tmp_path / "maps.mat")


@pytest.mark.parametrize("name", ["absent.npz", "absent.mat", "absent"])
def test_an_absent_file_is_said_to_be_absent(tmp_path, name):
    with pytest.raises(InputError, match=rf"{name}: no such file; expected a data set"):
        read_dataset(tmp_path / name)


def test_a_folder_of_maps_is_a_data_set(tmp_path):
    folder = tmp_path / "maps.npz"  # a folder, whatever its name
    folder.mkdir()
    with pytest.raises(InputError, match=r"maps\.npz: expected map files .* in this folder, got no files"):
        read_dataset(folder)
    blocked = torch.zeros(3, 4, dtype=torch.bool)
    write_map(folder / "a.map", MapFile(blocked))
    assert torch.equal(read_dataset(folder).blocked[0], blocked)
    with pytest.raises(InputError, match=r"a folder has no train split; use all"):
        read_dataset(folder, split="train")


def test_paths_may_be_text(tmp_path):
    dataset = solve_maps(*generate_gridworld(2, 8))
    write_dataset(str(tmp_path / "maps.npz"), dataset)
    assert torch.equal(read_dataset(str(tmp_path / "maps.npz")).blocked, dataset.blocked)
    with pytest.raises(InputError, match=r"maps\.mat: a data set is written as \.npz, got \.mat"):
        write_dataset(str(tmp_path / "maps.mat"), dataset)


@pytest.mark.parametrize(("name", "got"), [("maps.csv", r"\.csv"), ("maps", "no suffix")])
def test_another_suffix_is_refused(tmp_path, name, got):
    (tmp_path / name).write_text("")
    with pytest.raises(InputError, match=rf"expected a data set, \.npz or \.mat, got {got}"):
        read_dataset(tmp_path / name)


def test_an_npz_has_no_splits(tmp_path):
    write_npz(tmp_path / "maps.npz", solve_maps(*generate_gridworld(2, 8)))
    with pytest.raises(InputError, match=r"an \.npz has no heldout split; use all"):
        read_dataset(tmp_path / "maps.npz", split="heldout")
