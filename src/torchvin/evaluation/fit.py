"""Whether a policy and a data set belong together."""

from torchvin.data.dataset import MapDataset
from torchvin.errors import InputError
from torchvin.policies.builders import PolicyConfig


def check_fit(policy: PolicyConfig, dataset: MapDataset) -> None:
    """The policy must have the actions, orientations and planes of the maps.

    Raises: InputError naming the options to set.
    """
    moves = dataset.moves
    if policy.num_actions != moves.num_actions:
        raise InputError(
            f"the maps have {moves.num_actions} moves, the policy {policy.num_actions} actions; set "
            "--policy.num-actions (and --policy.num-q, one more in the normalized design)."
        )
    if policy.num_orientations != moves.num_orientations:
        raise InputError(
            f"the maps have {moves.num_orientations} orientations, the policy {policy.num_orientations}; set "
            "--policy.num-orientations."
        )
    if policy.num_terrains != len(dataset.terrain_costs):
        raise InputError(
            f"the maps have {len(dataset.terrain_costs)} classes of terrain, the policy {policy.num_terrains}; set "
            "--policy.num-terrains."
        )
