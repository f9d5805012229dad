"""A grid world of your own in 60 lines, and a planning policy that learns it from reward with Stable-Baselines3.

The agent delivers parcels in a warehouse with shelves. All that `VINPolicy` asks of an environment is an observation
with `planes` (the first is 1 on obstacles, the last says where the goal is) and `state` (the agent's row and column).

    pip install torchvin[rl]
    python examples/own_environment.py --steps 60000
"""

import argparse

import gymnasium
import numpy as np
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env

from torchvin.integrations.stable_baselines3 import VINPolicy

MOVES = ((-1, 0), (1, 0), (0, 1), (0, -1))


class Warehouse(gymnasium.Env):
    """Shelves in columns with random gaps; carry the parcel to the dock."""

    def __init__(self, side: int = 8) -> None:
        self.side = side
        self.observation_space = spaces.Dict(
            {
                "planes": spaces.Box(0.0, 10.0, (2, side, side), np.float32),
                "state": spaces.Box(0, side - 1, (2,), np.int64),
            }
        )
        self.action_space = spaces.Discrete(len(MOVES))

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[dict, dict]:
        super().reset(seed=seed)
        self.shelf = np.zeros((self.side, self.side), dtype=bool)
        self.shelf[1:-1, 2:-1:2] = True
        gaps = self.np_random.integers(1, self.side - 1, size=self.side)
        self.shelf[gaps, np.arange(self.side)] = False
        free = np.argwhere(~self.shelf)
        self.agent, self.dock = free[self.np_random.choice(len(free), size=2, replace=False)]
        self.steps = 0
        return self._observation(), {}

    def step(self, action: int) -> tuple[dict, float, bool, bool, dict]:
        self.steps += 1
        ahead = self.agent + MOVES[action]
        if (ahead >= 0).all() and (ahead < self.side).all() and not self.shelf[tuple(ahead)]:
            self.agent = ahead
        arrived = bool((self.agent == self.dock).all())
        return self._observation(), 1.0 if arrived else -0.02, arrived, self.steps >= 40, {"is_success": arrived}

    def _observation(self) -> dict:
        planes = np.zeros((2, self.side, self.side), dtype=np.float32)
        planes[0] = self.shelf
        planes[1][tuple(self.dock)] = 10.0
        return {"planes": planes, "state": self.agent.astype(np.int64)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=60_000)
    steps = parser.parse_args().steps
    environments = make_vec_env(Warehouse, n_envs=32, seed=0)
    model = PPO(VINPolicy, environments, n_steps=32, batch_size=256, n_epochs=4, learning_rate=0.005, seed=0)
    model.learn(steps)
    arrived, observation = [], environments.reset()
    while len(arrived) < 500:
        action, _ = model.predict(observation, deterministic=True)
        observation, _, done, infos = environments.step(action)
        arrived += [info["is_success"] for info, over in zip(infos, done, strict=True) if over]
    print(f"success of the greedy policy: {100 * np.mean(arrived):.1f} % of {len(arrived)} episodes")


if __name__ == "__main__":
    main()
