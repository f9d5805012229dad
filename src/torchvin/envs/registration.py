"""The ids of the environments in Gymnasium's registry."""

from torchvin.mdp.environment_ids import IDS, WEB_IDS


def register() -> None:
    """Register every id, single and vectorized. Calling it again changes nothing."""
    import gymnasium

    for name, options in IDS.items():
        if name not in gymnasium.registry:
            gymnasium.register(
                id=name,
                entry_point="torchvin.envs.gridworld:GridWorldEnv",
                vector_entry_point="torchvin.envs.vector:GridWorldVectorEnv",
                kwargs=dict(options),
            )
    for name, options in WEB_IDS.items():
        if name not in gymnasium.registry:
            gymnasium.register(id=name, entry_point="torchvin.envs.webnav:WebNavEnv", kwargs=dict(options))
