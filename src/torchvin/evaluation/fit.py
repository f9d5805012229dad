"""Whether a policy and a data set belong together."""

from torchvin.data.dataset import MapDataset
from torchvin.errors import InputError
from torchvin.policies.config import ArchitectureConfig
from torchvin.policies.policy import Policy


def check_fit(policy: Policy | ArchitectureConfig, dataset: MapDataset) -> None:
    """The policy must have the actions, orientations and planes of the maps.

    A policy that was composed by hand says nothing of itself and is not checked.

    Raises: InputError naming the options to set.
    """
    config = policy.config if isinstance(policy, Policy) else policy
    if config is None:
        return
    moves = dataset.moves
    if config.num_actions != moves.num_actions:
        raise InputError(
            f"the maps have {moves.num_actions} moves, the policy {config.num_actions} actions; set "
            "--policy.num-actions."
        )
    if config.num_orientations != moves.num_orientations:
        raise InputError(
            f"the maps have {moves.num_orientations} orientations, the policy {config.num_orientations}; set "
            "--policy.num-orientations, if its architecture has that option."
        )
    if config.cell_pixels != dataset.cell_pixels:
        raise InputError(
            f"the data are {_seen(dataset.cell_pixels)}, the policy sees {_seen(config.cell_pixels)}; choose a policy "
            "and data of one kind (presets terrain-..., and --policy.cell-pixels)."
        )
    if config.num_terrains != len(dataset.terrain_costs):
        raise InputError(
            f"the maps have {len(dataset.terrain_costs)} classes of terrain, the policy {config.num_terrains}; set "
            "--policy.num-terrains, if its architecture has that option."
        )


def _seen(cell_pixels: int) -> str:
    return f"images of {cell_pixels}x{cell_pixels} pixels per cell" if cell_pixels else "maps"
