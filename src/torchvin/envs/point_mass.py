"""Push a body to a goal: the paper's continuous control as a Gymnasium environment, single and vectorized."""

from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from torchvin.envs.pushes import PointMassOptions, Pushes
from torchvin.envs.render import Window
from torchvin.envs.vector import EpisodesVectorEnv, check_num_envs
from torchvin.errors import InputError, unknown_name
from torchvin.maps.observe import GOAL_VALUE
from torchvin.plotting.arenas import arena_image


class PointMassEnv(gymnasium.Env[Any, Any]):  # type: ignore[misc] # the library is left out of type checks
    """Push a disc with inertia past obstacles to a goal (Tamar et al. 2016, section 5.3).

    `docs/environments/point-mass.md` describes observation, action, reward and the end of an episode.

    Args:
        render_mode: "rgb_array", "human" or None.
        options: see `PointMassOptions`.

    Raises: InputError for an option that does not exist or is out of its range.

    >>> env = PointMassEnv()
    >>> observation, info = env.reset(seed=0)
    >>> observation["planes"].shape, observation["state"].shape
    ((2, 16, 16), (6,))
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array", "human"], "render_fps": 20}

    def __init__(self, render_mode: str | None = None, **options: Any) -> None:
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise unknown_name("render mode", render_mode, self.metadata["render_modes"])
        self.render_mode = render_mode
        self.episodes = self.make_episodes(PointMassOptions.checked(options))
        self.observation_space, self.action_space = observation_space(self.episodes), action_space()
        self._running = False
        self._window: Window | None = None
        self._visited: list[np.ndarray] = []

    def make_episodes(self, options: PointMassOptions) -> Pushes:
        """One body; a subclass may give it other dynamics."""
        return Pushes(options, 1)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode: an arena, and the body at rest at its start."""
        super().reset(seed=seed)
        self.episodes.begin(np.zeros(1, dtype=np.int64), [self.np_random])
        self._running = True
        self._visited = [self.episodes.state[0, :2].copy()]
        self._show()
        return self._observation(), self._info()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Push for one control step, with two shares of the largest force, which are clipped to [-1, 1].

        Raises: InputError for an action that is not two finite numbers, and after the end of an episode.
        """
        if not self._running:
            raise InputError("the episode is over, or none has begun; call reset first.")
        reward, terminated, truncated = self.episodes.step(checked_forces(np.asarray(action)[None], 1))
        self._running = not (terminated[0] or truncated[0])
        self._visited.append(self.episodes.state[0, :2].copy())
        self._show()
        return self._observation(), float(reward[0]), bool(terminated[0]), bool(truncated[0]), self._info()

    def render(self) -> Any:
        """The arena with goal, body and the way that it came; None without a mode."""
        return self._image() if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._window is not None:
            self._window.close()
            self._window = None

    def _image(self) -> np.ndarray:
        episodes = self.episodes
        return arena_image(
            episodes.obstacles[0],
            episodes.goal[0],
            np.array(self._visited),
            radius=episodes.body.radius,
            goal_radius=episodes.options.goal_radius,
        )

    def _show(self) -> None:
        if self.render_mode != "human":
            return
        if self._window is None:
            self._window = Window()
        self._window.show(self._image())

    def _observation(self) -> Any:
        return {name: part[0] for name, part in self.episodes.observe().items()}

    def _info(self) -> dict[str, Any]:
        return {name: part[0].item() for name, part in self.episodes.info().items()}


class PointMassVectorEnv(EpisodesVectorEnv):
    """B environments `PointMassEnv` in arrays. Each does what the single environment does with its seed and actions.

    Args:
        num_envs: B.
        autoreset_mode, copy: as in `GridWorldVectorEnv`.
        render_mode: "rgb_array" or None.
        options: see `PointMassOptions`.

    Raises: InputError for an option that does not exist or is out of its range.

    >>> env = PointMassVectorEnv(num_envs=3)
    >>> observation, info = env.reset(seed=0)
    >>> observation["planes"].shape, info["distance"].shape
    ((3, 2, 16, 16), (3,))
    """

    def __init__(
        self,
        num_envs: int = 1,
        *,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        copy: bool = True,
        render_mode: str | None = None,
        **options: Any,
    ) -> None:
        check_num_envs(num_envs)
        episodes = Pushes(PointMassOptions.checked(options), num_envs)
        super().__init__(
            episodes,
            observation_space(episodes),
            action_space(),
            autoreset_mode=autoreset_mode,
            copy=copy,
            render_mode=render_mode,
            render_modes=("rgb_array",),
        )
        self.metadata["render_fps"] = 20

    def render(self) -> tuple[Any, ...] | None:
        """A picture of every arena; None without a mode."""
        if self.render_mode is None:
            return None
        pushes = self.episodes
        return tuple(
            arena_image(
                pushes.obstacles[index],
                pushes.goal[index],
                pushes.state[index : index + 1, :2],
                radius=pushes.body.radius,
                goal_radius=pushes.options.goal_radius,
            )
            for index in range(self.num_envs)
        )

    def _checked(self, actions: Any) -> np.ndarray:
        return checked_forces(actions, self.num_envs)


def observation_space(pushes: Pushes) -> spaces.Space:
    """What one body sees."""
    side, limits = pushes.options.side, pushes.limits()
    planes = spaces.Box(0.0, GOAL_VALUE, (2, side, side), np.float32)
    return spaces.Dict({"planes": planes, "state": spaces.Box(-limits, limits, dtype=np.float32)})


def action_space() -> spaces.Box:
    """Shares of the largest force along x and y."""
    return spaces.Box(-1.0, 1.0, (2,), np.float32)


def checked_forces(actions: Any, number: int) -> np.ndarray:
    """The actions of all bodies, [B, 2].

    Raises: InputError for another shape, and for what is not a finite number.
    """
    array = np.asarray(actions)
    if array.shape != (number, 2):
        raise InputError(f"an action is two forces; expected shape {(number, 2)} for {number}, got {array.shape}.")
    if not np.issubdtype(array.dtype, np.number) or not np.isfinite(array).all():
        raise InputError(f"an action is two finite numbers, clipped to [-1, 1]; got {actions!r:.60}.")
    return array
