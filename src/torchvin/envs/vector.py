"""Thousands of agents stepped together, as a vector environment of Gymnasium."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from torchvin.envs.episodes import Episodes
from torchvin.envs.gridworld import environment_options
from torchvin.envs.render import as_image, as_text
from torchvin.envs.spaces import checked_actions, observation_space
from torchvin.errors import InputError, unknown_name


class EpisodesVectorEnv(gymnasium.vector.VectorEnv[Any, Any, Any], ABC):  # type: ignore[misc] # left out of type checks
    """Episodes of B agents in arrays as a vector environment: seeds, autoreset, what is known of each agent.

    A subclass says what an action is (`_checked`) and how an agent looks (`render`).

    Args:
        episodes: of the agents.
        observation_space, action_space: of one agent.
        autoreset_mode: when an episode that has ended begins again.
        copy: every observation is an array of its own.
        render_mode: None, or one of `render_modes`.
        render_modes: that the subclass has.
    """

    def __init__(
        self,
        episodes: Any,
        observation_space: Any,
        action_space: Any,
        *,
        autoreset_mode: AutoresetMode | str,
        copy: bool,
        render_mode: str | None,
        render_modes: Sequence[str],
    ) -> None:
        self.autoreset_mode = _autoreset_mode(autoreset_mode)
        self.metadata = {
            "render_modes": list(render_modes),
            "render_fps": 8,
            "autoreset_mode": self.autoreset_mode,
        }
        if render_mode is not None and render_mode not in render_modes:
            raise unknown_name("render mode of the vector environment", render_mode, render_modes)
        self.render_mode = render_mode
        self.episodes, self.copy, self.num_envs = episodes, copy, episodes.num_agents
        self.single_observation_space = observation_space
        self.single_action_space = action_space
        self.observation_space = batch_space(observation_space, self.num_envs)
        self.action_space = batch_space(action_space, self.num_envs)
        self._randoms: list[np.random.Generator] = []
        self._over = np.zeros(self.num_envs, dtype=bool)

    @abstractmethod
    def _checked(self, actions: Any) -> np.ndarray:
        """The actions of all agents, or an InputError."""

    def _done(self, actions: np.ndarray) -> np.ndarray:
        """What is done when these actions are chosen."""
        return actions

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin the episodes of all environments, or of those in `options["reset_mask"]` (bool, [B]).

        Args:
            seed: environment i gets seed + i; or one seed per environment.
            options: `reset_mask`.

        Raises: InputError for a mask of another shape or type, or one without an environment.
        """
        self._seed(seed)
        chosen = np.arange(self.num_envs)
        if options and "reset_mask" in options:
            chosen = _checked_mask(options["reset_mask"], self.num_envs).nonzero()[0]
        self._begin(chosen)
        self._over[chosen] = False
        return self.episodes.observe(copy=self.copy), self._infos()

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Do one action in every environment.

        Raises: InputError for actions that do not exist, before the first reset, and, without autoreset, for an episode
            that is over.
        """
        if not self._randoms:
            raise InputError("no episode has begun; call reset first.")
        checked = self._checked(actions)
        if self.autoreset_mode is AutoresetMode.DISABLED and self._over.any():
            raise InputError(
                f"{int(self._over.sum())} episodes are over, and autoreset is disabled; reset them with "
                'options={"reset_mask": ...}.'
            )
        again = self._over.nonzero()[0]  # of the mode NEXT_STEP
        before = self.episodes.state[again].copy()
        reward, terminated, truncated = self.episodes.step(self._done(checked))
        if len(again):
            self.episodes.state[again] = before
            reward[again], terminated[again], truncated[again] = 0.0, False, False
            self._begin(again)
        self._over = terminated | truncated
        infos: dict[str, Any] = {}
        if self.autoreset_mode is AutoresetMode.SAME_STEP and self._over.any():
            infos = self._final()
            self._begin(self._over.nonzero()[0])
            self._over = np.zeros(self.num_envs, dtype=bool)
        observation = self.episodes.observe(copy=self.copy)
        return observation, reward, terminated, truncated, {**self._infos(), **infos}

    def _seed(self, seed: int | Sequence[int | None] | None) -> None:
        if seed is None and self._randoms:
            return
        if seed is None or isinstance(seed, (int, np.integer)):
            seeds: list[int | None] = [None if seed is None else int(seed) + index for index in range(self.num_envs)]
        else:
            seeds = list(seed)
        if len(seeds) != self.num_envs:
            raise InputError(f"expected one seed, or one for each of {self.num_envs} environments, got {len(seeds)}.")
        before: Sequence[np.random.Generator | None] = self._randoms or [None] * self.num_envs
        self._randoms = [
            known if number is None and known is not None else seeding.np_random(number)[0]
            for number, known in zip(seeds, before, strict=True)
        ]

    def _begin(self, chosen: np.ndarray) -> None:
        self.episodes.begin(chosen, [self._randoms[index] for index in chosen])

    def _infos(self) -> dict[str, Any]:
        infos = self.episodes.info()
        everywhere = {f"_{name}": np.ones(self.num_envs, dtype=bool) for name in infos}
        return {**infos, **everywhere}

    def _final(self) -> dict[str, Any]:
        """The last observation and information of the episodes that are over."""
        over = self._over.copy()
        ended = over.nonzero()[0]
        observation = self.episodes.observe(ended)
        last = np.full(self.num_envs, None, dtype=object)
        if isinstance(observation, dict):
            names = list(observation)
            for index, parts in zip(ended, zip(*observation.values(), strict=True), strict=True):
                last[index] = dict(zip(names, parts, strict=True))
        else:
            last[ended] = list(observation)
        final: dict[str, Any] = {}
        for name, part in self.episodes.info().items():
            final[name], final[f"_{name}"] = np.where(over, part, np.zeros_like(part)), over.copy()
        return {"final_obs": last, "_final_obs": over, "final_info": final, "_final_info": over.copy()}


class GridWorldVectorEnv(EpisodesVectorEnv):
    """B environments `GridWorldEnv` in arrays. Each does what the single environment does with its seed and actions.

    Args:
        num_envs: B.
        autoreset_mode: when an episode that has ended begins again: in the next step (Gymnasium's default), in the same
            step (the last observation and information are then in `final_obs` and `final_info`), or when the caller
            resets with `options={"reset_mask": ...}`.
        copy: every observation is an array of its own. False: `planes` is one array that changes with the next step.
        render_mode: "rgb_array", "ansi" or None.
        options: see `EnvironmentOptions`.

    Raises: InputError for an option that does not exist or is out of its range.

    >>> env = GridWorldVectorEnv(num_envs=3, height=8)
    >>> observation, info = env.reset(seed=0)
    >>> observation["planes"].shape, info["optimal_steps"].shape
    ((3, 2, 8, 8), (3,))
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
        chosen = environment_options(options)
        source = chosen.source()
        episodes = Episodes(source, chosen.episodes(source), num_envs, seed=chosen.map_seed)
        super().__init__(
            episodes,
            observation_space(episodes),
            gymnasium.spaces.Discrete(source.moves.num_actions),
            autoreset_mode=autoreset_mode,
            copy=copy,
            render_mode=render_mode,
            render_modes=("rgb_array", "ansi"),
        )

    def render(self) -> tuple[Any, ...] | None:
        """A picture or a text of every environment; None without a mode."""
        if self.render_mode is None:
            return None
        draw = as_text if self.render_mode == "ansi" else as_image
        return tuple(draw(self.episodes, index) for index in range(self.num_envs))

    def _checked(self, actions: Any) -> np.ndarray:
        return checked_actions(actions, self.num_envs, int(self.single_action_space.n))

    def _done(self, actions: np.ndarray) -> np.ndarray:
        if not self.episodes.config.slip:
            return actions
        running = (~self._over).nonzero()[0]
        done: np.ndarray = actions.copy()
        done[running] = self.episodes.slipped(actions[running], [self._randoms[index] for index in running])
        return done


def check_num_envs(number: Any) -> None:
    """Raises: InputError for a number of environments that is no whole number from 1 on."""
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise InputError(f"num_envs must be a whole number from 1 on, got {number!r:.40}.")


def _autoreset_mode(mode: AutoresetMode | str) -> AutoresetMode:
    if isinstance(mode, AutoresetMode):
        return mode
    names = {known.value: known for known in AutoresetMode} | {known.name: known for known in AutoresetMode}
    if mode not in names:
        raise unknown_name("autoreset mode", str(mode), names)
    return names[mode]


def _checked_mask(mask: Any, number: int) -> np.ndarray:
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.shape != (number,) or not mask.any():
        described = f"{mask.dtype} {mask.shape}" if isinstance(mask, np.ndarray) else type(mask).__name__
        raise InputError(
            f"options['reset_mask'] must be a bool array of shape ({number},) with at least one True, got {described}."
        )
    return mask
