"""Where the maps of a training come from."""

from pathlib import Path

import torch

from torchvin.data.authors import check_survivable
from torchvin.data.dataset import MapDataset
from torchvin.data.draw import draw_maps
from torchvin.data.read import read_dataset
from torchvin.errors import InputError
from torchvin.mdp.motion import motion_model
from torchvin.training.config import RunConfig

TRAINING_STREAM = 1  # so that `torchvin data --seed N` never draws the maps that a training with seed N saw


def training_maps(config: RunConfig, path: Path | None) -> MapDataset:
    """The maps of a file (of the authors' training files, the first 6/7), or fresh ones by the config.

    Raises: InputError.
    """
    if path is None:
        data = config.data
        return draw_maps(
            data.kind,
            data.maps,
            data.height,
            data.width,
            seed=(config.seed, TRAINING_STREAM),
            moves=motion_model(data.motion),
            demonstration_seed=config.seed,
            terrain_costs=data.terrain_costs,
        )
    return read_dataset(path, split="train" if path.suffix == ".mat" and is_training_file(path) else "all")


def is_training_file(path: Path) -> bool:
    """Whether a `.mat` has the authors' training layout, which holds out a seventh."""
    from scipy.io import whosmat

    try:
        check_survivable(path)
        return any(name == "batch_im_data" for name, _, _ in whosmat(path))
    except Exception:  # damaged in one of many ways; the reader that comes next says how
        return False


def split_validation(dataset: MapDataset, num_validation: int, seed: int) -> tuple[MapDataset, MapDataset]:
    """(training, validation): a random choice of maps, at most a fifth of them, decided by the seed.

    Raises: InputError if there is only one map.
    """
    if len(dataset) < 2:
        raise InputError("training needs at least 2 maps: one to learn from, one to choose the best epoch by.")
    num_validation = min(num_validation, max(1, len(dataset) // 5))
    order = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(seed))
    return dataset[order[num_validation:]], dataset[order[:num_validation]]
