"""Thousands of environments stepped in arrays, behind the vector interface of Stable-Baselines3."""

from typing import Any

from gymnasium.vector import AutoresetMode
from stable_baselines3.common.vec_env import VecEnv

from torchvin.envs.point_mass import PointMassVectorEnv
from torchvin.envs.vector import EpisodesVectorEnv, GridWorldVectorEnv


class ArraysVecEnv(VecEnv):  # type: ignore[misc]
    """A vector environment of this package, behind the vector interface of SB3.

    SB3 has a vector interface of its own, and makes one Python object per environment.

    Args:
        env: with autoreset in the same step, as SB3 wants it.
    """

    def __init__(self, env: EpisodesVectorEnv) -> None:
        self.env = env
        self._actions: Any = None
        self.render_mode = env.render_mode
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self) -> Any:
        """Begin every episode anew; seeds that `seed` gave are used once."""
        given = [seed for seed in self._seeds if seed is not None]
        observation, _ = self.env.reset(seed=given[0] if given else None)
        self._reset_seeds()
        return observation

    def step_async(self, actions: Any) -> None:
        """Keep the actions for `step_wait`."""
        self._actions = actions

    def step_wait(self) -> Any:
        """Do the actions; an episode that ended has begun again, with its last observation in its information."""
        observation, reward, terminated, truncated, infos = self.env.step(self._actions)
        over = terminated | truncated
        each: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        final = infos.get("final_info", {})
        for index in over.nonzero()[0]:
            each[index] = {name: part[index] for name, part in final.items() if not name.startswith("_")}
            each[index] |= {
                "terminal_observation": infos["final_obs"][index],
                "TimeLimit.truncated": bool(truncated[index] and not terminated[index]),
            }
        return observation, reward, over, each

    def close(self) -> None:
        """Free nothing: there is no process and no window."""

    def get_images(self) -> Any:
        """A picture of every map."""
        return self.env.render()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """The same attribute for every agent."""
        return [getattr(self.env, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Set an attribute of all agents together."""
        setattr(self.env, attr_name, value)

    def env_method(self, method_name: str, *arguments: Any, indices: Any = None, **options: Any) -> list[Any]:
        """Call a method of the vector environment once."""
        return [getattr(self.env, method_name)(*arguments, **options)] * len(list(self._get_indices(indices)))

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """No agent is wrapped, but its episodes are counted here."""
        return [False] * len(list(self._get_indices(indices)))


class MapVecEnv(ArraysVecEnv):
    """Thousands of maps as one environment of Stable-Baselines3, stepped in arrays.

    Args:
        num_envs: number of agents.
        options: of the environment, as in `gymnasium.make("torchvin/GridWorld-v0", ...)`.

    Raises: InputError for an option that does not exist or is out of its range.

    >>> MapVecEnv(16, height=8).reset()["planes"].shape
    (16, 2, 8, 8)
    """

    def __init__(self, num_envs: int, **options: Any) -> None:
        super().__init__(GridWorldVectorEnv(num_envs, autoreset_mode=AutoresetMode.SAME_STEP, **options))


class PointMassVecEnv(ArraysVecEnv):
    """Many bodies that are pushed as one environment of Stable-Baselines3, stepped in arrays.

    Args:
        num_envs: number of bodies.
        options: of the environment, as in `gymnasium.make("torchvin/PointMass-v0", ...)`.

    Raises: InputError for an option that does not exist or is out of its range.

    >>> PointMassVecEnv(16).reset()["state"].shape
    (16, 6)
    """

    def __init__(self, num_envs: int, **options: Any) -> None:
        super().__init__(PointMassVectorEnv(num_envs, autoreset_mode=AutoresetMode.SAME_STEP, **options))
