"""Weights and runs of format 1 (version 0.1), converted to format 2 as they are read.

In format 1 one flat configuration described eight designs. The maps of a training were described beside it.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from torchvin.architectures.registry import architecture
from torchvin.mdp.motion import NAMES_IN_FILES, GridMotion

_NAMES = {"optimiser": "optimizer"}


def upgrade(content: Mapping[str, Any]) -> dict[str, Any]:
    """Convert the content of a `config.json` of format 1 to format 2."""
    record = dict(content["record"])
    policy = upgrade_policy(content["policy"])
    config = record.get("config")
    if config is not None:
        record["config"] = upgrade_run(config)
        if (
            record.get("data", "generated") != "generated"
        ):  # format 1 described generated maps, although a file was used
            record["config"]["data"] = _of_file(record)
    return {
        "format": 2,
        "torchvin": content.get("torchvin", "0.1.0"),
        "policy": policy,
        "solver": {},
        "task": _task(policy, record),
        "record": record,
    }


def upgrade_run(config: Mapping[str, Any]) -> dict[str, Any]:
    """Convert the configuration of a run (`run.json`, or `config` of a record).

    Of format 2 only the motion model is converted, where an earlier version wrote its name.
    """
    upgraded = dict(config)
    if "policy" in config and "architecture" not in config["policy"]:
        upgraded["policy"] = upgrade_policy(config["policy"])
    if "data" in config and "source" not in config["data"]:  # maps that were drawn, not those of a file
        data = dict(config["data"])
        motion = data.pop("mechanism", data.get("motion", "moore"))
        data["motion"] = motion_of_name(motion) if isinstance(motion, str) else motion
        upgraded["data"] = data
    if "training" in config:
        upgraded["training"] = {_NAMES.get(name, name): value for name, value in config["training"].items()}
    return upgraded


def upgrade_policy(flat: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of the architecture: of the flat configuration, those fields that the design used."""
    name = str(flat.get("design", "normalised")).replace("normalised", "normalized")
    known = {entry.name for entry in fields(architecture(name).config)}
    values = {field: value for field, value in flat.items() if field in known}
    if values.get("reward") == "auto":
        del values["reward"]
    return {"architecture": name, **values}


def upgrade_names(name: str, architecture_name: str) -> str:
    """The name of a tensor in format 2, where reward and transition belong to the planner."""
    name = name.replace(".share.", ".q_conv.").replace(".settled", ".deterministic")
    first, _, rest = name.partition(".")
    if architecture_name == "shortest_path":
        return f"planner.{name}" if first in ("model", "transition") else name
    if architecture_name in ("normalized", "paper"):
        parts = {"reward": "planner.reward", "planner": "planner.iteration"}
    elif architecture_name == "hierarchical":
        parts = {
            "coarse_reward": "planner.coarse.reward",
            "coarse_planner": "planner.coarse.iteration",
            "reward": "planner.fine.reward",
            "planner": "planner.fine.iteration",
        }
    elif architecture_name == "gppn":
        parts = {"reward": "planner.features"}
    else:
        return name
    return f"{parts[first]}.{rest}" if first in parts else name


def _task(policy: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    """What the weights were trained for, as far as format 1 says.

    Format 1 kept the motion model of generated maps only. For the maps of a file the paper's is assumed, and `assumed`
    names it.
    """
    data = record.get("config", {}).get("data", {})
    source = record.get("data", "generated")
    motion = data.get("motion", motion_of_name("moore"))
    agent = (policy.get("num_actions", 8), policy.get("num_orientations", 1))
    if agent != agent_of(motion):
        motion = {**GridMotion().to_json(), "num_actions": agent[0]}
    described: dict[str, Any] = {
        "name": "gridworld",
        "motion": motion,
        "observation": {
            "planes": ["blocked", "terrain", "goal"] if policy.get("num_terrains", 1) > 1 else ["blocked", "goal"],
            "num_orientations": policy.get("num_orientations", 1),
            "terrain_costs": list(data.get("terrain_costs", [1.0])),
        },
        "data": _of_file(record) if source != "generated" else {"source": source, **data},
    }
    if source != "generated" and not str(source).endswith(".mat"):
        described["assumed"] = ["motion"]
    return described


def _of_file(record: Mapping[str, Any]) -> dict[str, Any]:
    """The maps of a training from a file. Their number is known; for the authors' files the size is, too."""
    data = record["config"].get("data", {})
    sides = {"height": data.get("height"), "width": data.get("width")} if str(record["data"]).endswith(".mat") else {}
    return {"source": record["data"], "maps": record.get("maps"), **sides}


def motion_of_name(name: str) -> dict[str, Any]:
    """The motion model that an earlier version wrote by name, as JSON."""
    return NAMES_IN_FILES[name].to_json()


def agent_of(motion: Mapping[str, Any]) -> tuple[int, int]:
    """Actions and orientations."""
    return (3, 4) if motion["kind"] == "differential-drive" else (motion["num_actions"], 1)
