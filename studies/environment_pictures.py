"""The pictures of docs/environments: an agent on its way, by shipped weights.

python -m studies.environment_pictures --out docs/figures
"""

from dataclasses import dataclass
from pathlib import Path

import gymnasium
import torch
import tyro
from PIL import Image

import torchvin.envs  # noqa: F401 - registers the ids
from torchvin import load_policy
from torchvin.io.files import replacing

#: picture -> id, options of the environment, weights, seeds of the episodes
EPISODES = {
    "gridworld_env.gif": ("torchvin/GridWorld-v0", {"height": 16}, "gridworld-16", (1, 2, 3)),
    "maze_env.gif": ("torchvin/Maze-v0", {"motion": "differential-drive"}, "maze-15-drive", (1, 2)),
}
_MILLISECONDS = 140  # a frame
_REST = 6  # frames at the goal


@dataclass(frozen=True)
class Arguments:
    """Options of the pictures."""

    out: Path = Path("docs/figures")
    """Folder of the pictures."""


def frames(name: str, options: dict, weights: str, seeds: tuple[int, ...]) -> list[Image.Image]:
    """The frames of some episodes, one after the other."""
    env = gymnasium.make(name, render_mode="rgb_array", **options)
    policy, shown = load_policy(weights), []
    for seed in seeds:
        observation, _ = env.reset(seed=seed)
        over = False
        while not over:
            shown.append(Image.fromarray(env.render()))
            planes, state = torch.from_numpy(observation["planes"])[None], torch.from_numpy(observation["state"])
            with torch.no_grad():
                action = policy(planes, state[None, None]).logits[0, 0].argmax().item()
            observation, _, terminated, truncated, _ = env.step(action)
            over = terminated or truncated
        shown += [Image.fromarray(env.render())] * _REST
    return shown


def main(arguments: Arguments) -> None:
    for picture, episode in EPISODES.items():
        first, *rest = (frame.quantize(16) for frame in frames(*episode))
        with replacing(arguments.out / picture) as temporary:
            first.save(temporary, format="GIF", save_all=True, append_images=rest, duration=_MILLISECONDS, loop=0)


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
