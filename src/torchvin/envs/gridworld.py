"""One agent on a map: the grid world and the mazes as a Gymnasium environment."""

from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces

from torchvin.envs.episodes import Episodes
from torchvin.envs.options import EnvironmentOptions
from torchvin.envs.render import Window, as_image, as_text
from torchvin.envs.spaces import checked_actions, observation_space
from torchvin.errors import InputError, unknown_name


class GridWorldEnv(gymnasium.Env[Any, Any]):  # type: ignore[misc] # the library is left out of type checks
    """Find the way to a goal, on a new map in each episode (Tamar et al. 2016, section 5.1 and its appendix on RL).

    `docs/environments/` describes observation, actions, rewards and the end of an episode.

    Args:
        render_mode: "rgb_array", "ansi", "human" or None.
        options: see `EnvironmentOptions`.

    Raises: InputError for an option that does not exist or is out of its range.

    >>> env = GridWorldEnv(height=8, motion="news")
    >>> observation, info = env.reset(seed=0)
    >>> observation["planes"].shape, observation["state"].shape
    ((2, 8, 8), (2,))
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array", "ansi", "human"], "render_fps": 8}

    def __init__(self, render_mode: str | None = None, **options: Any) -> None:
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise unknown_name("render mode", render_mode, self.metadata["render_modes"])
        self.render_mode = render_mode
        chosen = environment_options(options)
        source = chosen.source()
        self.episodes = Episodes(source, chosen.episodes(source), 1, seed=chosen.map_seed)
        self.observation_space = observation_space(self.episodes)
        self.action_space = spaces.Discrete(source.moves.num_actions)
        self._running = False
        self._window: Window | None = None
        self._visited: list[int] = []

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode: a map, and a start that can reach its goal."""
        super().reset(seed=seed)
        self.episodes.begin(np.zeros(1, dtype=np.int64), [self.np_random])
        self._running = True
        self._visited = [int(self.episodes.state[0])]
        self._show()
        return self._observation(), self._info()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Do one action.

        Raises: InputError for an action that does not exist, and after the end of an episode.
        """
        if not self._running:
            raise InputError("the episode is over, or none has begun; call reset first.")
        actions = checked_actions([action] if np.ndim(action) == 0 else action, 1, int(self.action_space.n))
        reward, terminated, truncated = self.episodes.step(self.episodes.slipped(actions, [self.np_random]))
        self._running = not (terminated[0] or truncated[0])
        self._visited.append(int(self.episodes.state[0]))
        self._show()
        return self._observation(), float(reward[0]), bool(terminated[0]), bool(truncated[0]), self._info()

    def render(self) -> Any:
        """The map with goal, agent and the cells of this episode: an image, or text; None without a mode."""
        if self.render_mode == "ansi":
            return as_text(self.episodes, 0)
        if self.render_mode == "rgb_array":
            return as_image(self.episodes, 0, self._visited)
        return None

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._window is not None:
            self._window.close()
            self._window = None

    def _show(self) -> None:
        if self.render_mode != "human":
            return
        if self._window is None:
            self._window = Window()
        self._window.show(as_image(self.episodes, 0, self._visited))

    def _observation(self) -> Any:
        observation = self.episodes.observe()
        if isinstance(observation, dict):
            return {name: part[0] for name, part in observation.items()}
        return observation[0]

    def _info(self) -> dict[str, Any]:
        return {name: part[0].item() for name, part in self.episodes.info().items()}


def environment_options(options: dict[str, Any]) -> EnvironmentOptions:
    """The options of an environment.

    Raises: InputError for one that does not exist.
    """
    known = EnvironmentOptions.__dataclass_fields__
    for name in options:
        if name not in known:
            raise unknown_name("option of the environment", name, known)
    return EnvironmentOptions(**options)
