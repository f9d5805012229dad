"""PPO on a policy that pushes: it begins with the trained forces, and every weight learns."""

import numpy as np
import pytest
import torch

pytest.importorskip("stable_baselines3", reason="the policies need the extra [rl]: pip install torchvin[rl]")

import gymnasium
from stable_baselines3 import PPO

from torchvin import InputError, build_policy, save_policy
from torchvin.architectures.control import ControlConfig
from torchvin.integrations.stable_baselines3 import ForceActorCriticPolicy

SHORT = {"n_steps": 16, "batch_size": 16, "n_epochs": 1, "seed": 0}


@pytest.fixture
def pushing(tmp_path):
    torch.manual_seed(0)
    save_policy(tmp_path / "vin", build_policy(ControlConfig(hidden_channels=4, hidden_units=8)))
    return tmp_path / "vin"


def make():
    return gymnasium.make("torchvin/PointMass-v0", num_maps=2)


def test_it_begins_with_the_trained_forces_and_moves_every_weight(pushing, tmp_path):
    from torchvin import load_policy

    model = PPO(ForceActorCriticPolicy, make(), policy_kwargs={"weights": pushing}, **SHORT)
    observation, _ = make().reset(seed=1)
    planes, state = (torch.from_numpy(observation[name])[None] for name in ("planes", "state"))
    wanted = load_policy(pushing)(planes, state[None]).logits[0, 0].detach().numpy()
    action, _ = model.predict(observation, deterministic=True)
    np.testing.assert_allclose(action, np.clip(wanted, -1, 1), atol=1e-5)
    before = {name: part.detach().clone() for name, part in model.policy.named_parameters()}
    model.learn(16)
    still = {name for name, part in model.policy.named_parameters() if torch.equal(part, before[name])}
    assert still <= {"features_extractor.policy.log_std"}  # SB3 has its own
    model.save(tmp_path / "model.zip")
    again = PPO.load(tmp_path / "model.zip", env=make())
    np.testing.assert_array_equal(
        again.predict(observation, deterministic=True)[0], model.predict(observation, deterministic=True)[0]
    )


def test_it_learns_from_the_actions_that_it_chose(tmp_path):
    """Mutant: plans of the training mode, without caution, when PPO evaluates what was done."""
    torch.manual_seed(0)
    save_policy(tmp_path / "vin", build_policy(ControlConfig(caution=50.0, hidden_channels=4, hidden_units=8)))
    model = PPO(ForceActorCriticPolicy, make(), policy_kwargs={"weights": tmp_path / "vin"}, **SHORT)
    observation = {name: torch.from_numpy(part)[None] for name, part in make().reset(seed=1)[0].items()}
    model.policy.set_training_mode(False)
    actions, _, chosen = model.policy(observation)
    model.policy.set_training_mode(True)
    _, evaluated, _ = model.policy.evaluate_actions(observation, actions)
    torch.testing.assert_close(evaluated, chosen)


def test_what_does_not_push_is_refused(pushing):
    with pytest.raises(InputError, match="a VIN chooses moves; give weights that push: control"):
        PPO(ForceActorCriticPolicy, make(), policy_kwargs={"weights": "gridworld-8"}, **SHORT)
    with pytest.raises(InputError, match="sees planes and a state of six numbers"):
        PPO(ForceActorCriticPolicy, "torchvin/GridWorld-v0", policy_kwargs={"weights": pushing}, **SHORT)
