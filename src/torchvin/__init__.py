"""Differentiable planning in PyTorch: Value Iteration Networks and what goes beyond them.

Public names, in the order in which data flows. Each is imported when it is first used.
"""

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torchvin.architectures.cnn import CNNConfig
    from torchvin.architectures.dynamic import DynamicConfig
    from torchvin.architectures.fcn import FCNConfig
    from torchvin.architectures.gppn import GPPNConfig
    from torchvin.architectures.hierarchical import HierarchicalConfig
    from torchvin.architectures.normalized import NormalizedConfig
    from torchvin.architectures.paper import PaperConfig
    from torchvin.architectures.registry import build_policy, register_architecture
    from torchvin.architectures.shortest_path import ShortestPathConfig
    from torchvin.architectures.terrain import TerrainConfig
    from torchvin.architectures.terrain_classifier import TerrainClassifierConfig
    from torchvin.architectures.terrain_cnn import TerrainCNNConfig
    from torchvin.data.dataset import MapDataset, solve_maps
    from torchvin.data.overhead import OverheadDataset
    from torchvin.data.own import dataset_from
    from torchvin.data.own_terrain import dataset_from_terrain
    from torchvin.data.read import read_dataset
    from torchvin.data.terrain_files import read_terrain
    from torchvin.data.write import write_dataset
    from torchvin.errors import InputError, ShapeError
    from torchvin.evaluation.path import PlannedPath, follow_policy
    from torchvin.evaluation.scorer import evaluate
    from torchvin.experts.grid import shortest_paths
    from torchvin.maps.formats.map_file import read_map, write_map
    from torchvin.maps.generators.gridworld import generate_gridworld
    from torchvin.maps.generators.mazes import generate_mazes
    from torchvin.maps.observe import encode, encode_image
    from torchvin.mdp.motion import DifferentialDrive, GridMotion, MotionModel
    from torchvin.mdp.transitions import Transitions, transitions
    from torchvin.navigation.image_path import ImagePath, plan_on_image
    from torchvin.navigation.path_planner import PathPlanner, plan_path
    from torchvin.planning.graph import Graph
    from torchvin.planning.graph_value_iteration import GraphPlan, GraphValueIteration, graph_value_iteration
    from torchvin.planning.models.reward import ActionReward, ImageReward
    from torchvin.planning.models.transition import FreeTransition, NormalizedTransition
    from torchvin.planning.planners.dynamic import DynamicPlanner, DynamicTransition
    from torchvin.planning.planners.gated import GatedPlanner
    from torchvin.planning.planners.grid import GridPlanner
    from torchvin.planning.planners.hierarchical import HierarchicalPlanner
    from torchvin.planning.planners.latent_graph import LatentGraphPlanner
    from torchvin.planning.planners.planner import Planner
    from torchvin.planning.value_iteration import ValueIteration, value_iteration
    from torchvin.policies.attention import StateAttention
    from torchvin.policies.config import ArchitectureConfig
    from torchvin.policies.heads import LinearHead, ScaleHead
    from torchvin.policies.policy import Policy
    from torchvin.policies.reactive.cnn import CNN
    from torchvin.policies.reactive.fcn import FCN
    from torchvin.policies.vin import VIN
    from torchvin.pretrained.hub import push_policy
    from torchvin.pretrained.store import load_policy, save_policy
    from torchvin.spaces import StateSpace
    from torchvin.tasks.task import Task, Validation
    from torchvin.training.config import RunConfig, TrainingConfig
    from torchvin.training.presets import PRESETS
    from torchvin.training.trainer import train
    from torchvin.types import PlannerOutput, PolicyOutput

__version__ = "0.1.0"

_WHERE = {
    # maps
    "MotionModel": "mdp.motion",
    "GridMotion": "mdp.motion",
    "StateSpace": "spaces",
    "transitions": "mdp.transitions",
    "Transitions": "mdp.transitions",
    "DifferentialDrive": "mdp.motion",
    "generate_gridworld": "maps.generators.gridworld",
    "generate_mazes": "maps.generators.mazes",
    "read_map": "maps.formats.map_file",
    "write_map": "maps.formats.map_file",
    "encode": "maps.observe",
    "encode_image": "maps.observe",
    # reward, transition
    "ActionReward": "planning.models.reward",
    "ImageReward": "planning.models.reward",
    "NormalizedTransition": "planning.models.transition",
    "FreeTransition": "planning.models.transition",
    # planner
    "value_iteration": "planning.value_iteration",
    "ValueIteration": "planning.value_iteration",
    "Graph": "planning.graph",
    "graph_value_iteration": "planning.graph_value_iteration",
    "GraphValueIteration": "planning.graph_value_iteration",
    "GraphPlan": "planning.graph_value_iteration",
    "Planner": "planning.planners.planner",
    "GridPlanner": "planning.planners.grid",
    "HierarchicalPlanner": "planning.planners.hierarchical",
    "LatentGraphPlanner": "planning.planners.latent_graph",
    "GatedPlanner": "planning.planners.gated",
    "DynamicPlanner": "planning.planners.dynamic",
    "DynamicTransition": "planning.planners.dynamic",
    "PlannerOutput": "types",
    # attention, reactive policy
    "StateAttention": "policies.attention",
    "ScaleHead": "policies.heads",
    "LinearHead": "policies.heads",
    "VIN": "policies.vin",
    "Policy": "policies.policy",
    "CNN": "policies.reactive.cnn",
    "FCN": "policies.reactive.fcn",
    # architectures: configuration and builder by name
    "ArchitectureConfig": "policies.config",
    "NormalizedConfig": "architectures.normalized",
    "ShortestPathConfig": "architectures.shortest_path",
    "PaperConfig": "architectures.paper",
    "HierarchicalConfig": "architectures.hierarchical",
    "GPPNConfig": "architectures.gppn",
    "DynamicConfig": "architectures.dynamic",
    "CNNConfig": "architectures.cnn",
    "FCNConfig": "architectures.fcn",
    "TerrainConfig": "architectures.terrain",
    "TerrainClassifierConfig": "architectures.terrain_classifier",
    "TerrainCNNConfig": "architectures.terrain_cnn",
    "build_policy": "architectures.registry",
    "register_architecture": "architectures.registry",
    "PolicyOutput": "types",
    # experts, data, training
    "shortest_paths": "experts.grid",
    "MapDataset": "data.dataset",
    "solve_maps": "data.dataset",
    "read_dataset": "data.read",
    "write_dataset": "data.write",
    "dataset_from": "data.own",
    "OverheadDataset": "data.overhead",
    "read_terrain": "data.terrain_files",
    "dataset_from_terrain": "data.own_terrain",
    "RunConfig": "training.config",
    "PRESETS": "training.presets",
    "TrainingConfig": "training.config",
    "train": "training.trainer",
    "Task": "tasks.task",
    "Validation": "tasks.task",
    # evaluation, weights
    "evaluate": "evaluation.scorer",
    "follow_policy": "evaluation.path",
    "PlannedPath": "evaluation.path",
    "load_policy": "pretrained.store",
    "save_policy": "pretrained.store",
    "push_policy": "pretrained.hub",
    # a robot's question
    "plan_path": "navigation.path_planner",
    "PathPlanner": "navigation.path_planner",
    "plan_on_image": "navigation.image_path",
    "ImagePath": "navigation.image_path",
    # errors
    "InputError": "errors",
    "ShapeError": "errors",
}

#: Written out, because type checkers and editors read it without running it.
__all__ = [
    "__version__",
    # maps
    "MotionModel",
    "GridMotion",
    "StateSpace",
    "transitions",
    "Transitions",
    "DifferentialDrive",
    "generate_gridworld",
    "generate_mazes",
    "read_map",
    "write_map",
    "encode",
    "encode_image",
    # reward, transition
    "ActionReward",
    "ImageReward",
    "NormalizedTransition",
    "FreeTransition",
    # planner
    "value_iteration",
    "ValueIteration",
    "Graph",
    "graph_value_iteration",
    "GraphValueIteration",
    "GraphPlan",
    "Planner",
    "GridPlanner",
    "HierarchicalPlanner",
    "LatentGraphPlanner",
    "GatedPlanner",
    "DynamicPlanner",
    "DynamicTransition",
    "PlannerOutput",
    # attention, reactive policy
    "StateAttention",
    "ScaleHead",
    "LinearHead",
    "VIN",
    "Policy",
    "CNN",
    "FCN",
    # architectures: configuration and builder by name
    "ArchitectureConfig",
    "NormalizedConfig",
    "ShortestPathConfig",
    "PaperConfig",
    "HierarchicalConfig",
    "GPPNConfig",
    "DynamicConfig",
    "CNNConfig",
    "FCNConfig",
    "TerrainConfig",
    "TerrainClassifierConfig",
    "TerrainCNNConfig",
    "build_policy",
    "register_architecture",
    "PolicyOutput",
    # experts, data, training
    "shortest_paths",
    "MapDataset",
    "solve_maps",
    "read_dataset",
    "write_dataset",
    "dataset_from",
    "OverheadDataset",
    "read_terrain",
    "dataset_from_terrain",
    "RunConfig",
    "PRESETS",
    "TrainingConfig",
    "train",
    "Task",
    "Validation",
    # evaluation, weights
    "evaluate",
    "follow_policy",
    "PlannedPath",
    "load_policy",
    "save_policy",
    "push_policy",
    # a robot's question
    "plan_path",
    "PathPlanner",
    "plan_on_image",
    "ImagePath",
    # errors
    "InputError",
    "ShapeError",
]


#: Spellings of version 0.1 that are in use; they stay for one minor release.
_FORMER = {"Moves": "GridMotion", "NormalisedTransition": "NormalizedTransition"}

if "torch" in sys.modules:
    # An exported program names our operators and outputs, and is loaded after `import torch, torchvin`: 20 ms.
    importlib.import_module("torchvin.planning.kernels.operators")


def __getattr__(name: str) -> Any:
    name = _FORMER.get(name, name)
    if name not in _WHERE:
        raise AttributeError(f"module 'torchvin' has no attribute {name!r}")
    return getattr(importlib.import_module(f"torchvin.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
