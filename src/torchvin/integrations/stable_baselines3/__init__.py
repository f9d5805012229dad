"""Policies for Stable-Baselines3: `PPO(VINPolicy, "torchvin/GridWorld-v0")` (pip install torchvin[rl]).

They take any environment whose observation is a `Dict` with `planes` [C, H, W] (obstacles first, goal last) and `state`
(row, col), or one image of these planes and one that is 1 where the agent is. Importing this module registers the
environments of `torchvin.envs`.

    VINPolicy   PPO, A2C, TRPO (sb3-contrib): logits and state value from one plan
    VINQPolicy  DQN: the planner's Q values are the Q values
    CNNPolicy   PPO, A2C, TRPO: the paper's network without a plan
    ForceActorCriticPolicy  PPO on `torchvin/PointMass-v0`, from trained weights
    MapVecEnv   thousands of maps stepped in arrays: `PPO(VINPolicy, MapVecEnv(256, height=16))`
    PointMassVecEnv  the same for bodies that are pushed
"""

from torchvin.envs import register
from torchvin.integrations.stable_baselines3.force import ForceActorCriticPolicy
from torchvin.integrations.stable_baselines3.grid_space import GridSpace
from torchvin.integrations.stable_baselines3.policies import CNNPolicy, VINPolicy, VINQPolicy
from torchvin.integrations.stable_baselines3.vec_env import MapVecEnv, PointMassVecEnv

__all__ = [
    "CNNPolicy",
    "ForceActorCriticPolicy",
    "GridSpace",
    "MapVecEnv",
    "PointMassVecEnv",
    "VINPolicy",
    "VINQPolicy",
]

register()
