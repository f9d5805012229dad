"""The authors' own files, where they are at hand: known numbers, labels kept, splits that do not leak."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from authors_files import identities
from torchvin.data.authors import read_mat
from torchvin.experts.demonstrations import NOT_SHOWN
from torchvin.experts.grid import action_set

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


@pytest.fixture(scope="module", params=[8, 16])
def real(request):
    """(side, path) of an authors' training file."""
    path = DATA / f"gridworld_{request.param}.mat"
    if not path.is_file():
        pytest.skip(f"{path} is not there: the authors' data are not part of the repository")
    return request.param, path


@pytest.fixture(scope="module")
def real_splits(real):
    return {split: read_mat(real[1], split) for split in ("train", "heldout", "all")}


def test_the_authors_files_hold_the_known_numbers_of_maps(real, real_splits):
    expected = {8: {"train": 2808, "heldout": 453, "all": 3261}, 16: {"train": 3714, "heldout": 616, "all": 4330}}
    assert {split: len(dataset) for split, dataset in real_splits.items()} == expected[real[0]]


def test_every_label_of_the_authors_lies_in_the_optimal_set(real_splits):
    dataset = real_splits["all"]
    shown = dataset.demonstrated != NOT_SHOWN
    in_set = action_set(dataset.optimal_actions).gather(3, dataset.demonstrated.clamp(max=7).long()[..., None])[..., 0]
    assert shown.sum() > 10_000
    assert in_set[shown].all()


def test_the_authors_labels_are_kept_pair_by_pair(real, real_splits):
    """Straight from the file, without the reader's own bookkeeping."""
    dataset, contents = real_splits["all"], loadmat(real[1])
    side, index_of = real[0], {}
    for index in range(len(dataset)):
        free, value = (~dataset.blocked[index]).numpy().astype(np.uint8), np.zeros((side, side), np.uint8)
        value[tuple(dataset.goal[index].tolist())] = 10
        index_of[free.tobytes() + value.tobytes()] = index
    agree = total = 0
    for batch in range(0, len(contents["batch_im_data"]), 97):
        key = contents["batch_im_data"][batch].tobytes() + contents["batch_value_data"][batch].tobytes()
        shown = dataset.demonstrated[index_of[key]]
        rows, cols = contents["state_x_data"][batch].astype(int), contents["state_y_data"][batch].astype(int)
        labels = contents["batch_label_data"][batch]
        agree += sum(int(shown[row, col]) == label for row, col, label in zip(rows, cols, labels, strict=True))
        total += len(labels)
    assert agree / total > 0.999  # a map that was drawn twice may carry two labels in one cell


def test_the_authors_maps_have_a_border_and_their_density(real, real_splits):
    """At 8x8 distinct maps are denser than the published 10.8 %: those drawn more than once are the sparse ones."""
    interior = real_splits["all"].blocked[:, 1:-1, 1:-1].float().mean().item()
    assert interior == pytest.approx({8: 0.120, 16: 0.205}[real[0]], abs=0.002)
    assert real_splits["all"].blocked[:, [0, -1]].all()
    assert real_splits["all"].blocked[:, :, [0, -1]].all()


def test_the_splits_of_the_authors_files_do_not_leak(real_splits):
    assert not identities(real_splits["train"]) & identities(real_splits["heldout"])
