"""The trainings behind the pages and the shipped weights, by name: `torchvin train --preset NAME`."""

from dataclasses import replace

from torchvin.architectures.cnn import CNNConfig
from torchvin.architectures.control import ControlConfig
from torchvin.architectures.control_cnn import ControlCNNConfig
from torchvin.architectures.control_mlp import ControlMLPConfig
from torchvin.architectures.dynamic import DynamicConfig
from torchvin.architectures.fcn import FCNConfig
from torchvin.architectures.gppn import GPPNConfig
from torchvin.architectures.normalized import NormalizedConfig
from torchvin.architectures.paper import PAPER_ITERATIONS_PER_SIDE, PaperConfig
from torchvin.architectures.shortest_path import ShortestPathConfig
from torchvin.architectures.terrain import TerrainConfig
from torchvin.architectures.terrain_classifier import TerrainClassifierConfig
from torchvin.architectures.terrain_cnn import TerrainCNNConfig
from torchvin.architectures.webnav import WebNavConfig
from torchvin.architectures.webnav_reactive import WebReactiveConfig
from torchvin.errors import unknown_name
from torchvin.mdp.motion import motion_model
from torchvin.mdp.rewards import RewardConfig
from torchvin.policies.config import ArchitectureConfig
from torchvin.training.config import CurriculumConfig, DataConfig, ReinforcementConfig, RunConfig, TrainingConfig

#: The authors' recipe for the VIN: 12 maps of 10 states a step, RMSProp in four stages of 30 epochs.
AUTHORS = TrainingConfig(
    supervision="states",
    repeat_states=True,
    loss="single-label",
    epochs=120,
    batch_size=12,
    optimizer="rmsprop-authors",
    learning_rate=0.01,
    schedule="stages",
    onednn=False,
)
#: The same from the best of a few initial weights: how far a start will come shows in its first epochs.
AUTHORS_BEST_START = replace(AUTHORS, starts=8)
#: A better recipe for the paper's network: the same optimizer, but every cell of 12 whole maps teaches in each step.
ALL_CELLS = replace(AUTHORS, supervision="all-cells", repeat_states=False, epochs=60)
#: The same from weights that plan on smaller maps: 28x28 maps from nothing took longer and ended at 95 % success.
ALL_CELLS_AGAIN = replace(ALL_CELLS, epochs=12, stages=(0.2, 0.1, 0.05))
#: The authors' recipe for the FCN: theirs for the VIN, at 8x8 its first two stages alone.
FCN_AUTHORS = replace(AUTHORS, validation_maps=64, onednn=True)
FCN_AUTHORS_8 = replace(FCN_AUTHORS, epochs=60, stages=AUTHORS.stages[:2])
#: The authors' recipe for the CNN: 128 states of any maps a step, their RMSProp in two stages of 20 epochs.
CNN_AUTHORS = replace(
    FCN_AUTHORS, states_per_example=1, batch_size=128, epochs=40, stages=(1.0, 0.2), precision="bfloat16"
)
#: PPO on a thousand maps at once, from the best of three initial weights: one of three learns several times as slowly.
FROM_REWARD = TrainingConfig(
    method="reinforcement",
    starts=3,
    trial_epochs=5,
    batch_size=256,
    learning_rate=0.005,
    weight_decay=1.0,
    schedule="stages",
    stages=(1.0, 1.0, 1.0, 1.0, 0.5, 0.1),
)
#: GPPN's recipe (ICML 2018); its labels are one optimal action, drawn, where ours are the set of them.
GPPN_RECIPE = TrainingConfig(
    epochs=30,
    optimizer="rmsprop",
    learning_rate=1e-3,
    epsilon=1e-6,
    largest_gradient=40.0,
    schedule="constant",
)
#: K a side of the normalized design: longer is the path of one state in 3,000 at 15x15, of one in 200 at 28x28 (NEWS).
MAZE_ITERATIONS = 4.0
#: For the design shortest_path: where moves lead from states beside the goal, then costs and gates from all states.
TWO_PHASES = TrainingConfig(curriculum=CurriculumConfig(steps=100), loss="uniform-set", epochs=10, validation_maps=128)
#: Motion model of the mazes -> the end of the names of presets and weights; NEWS is the one without a name.
MAZE_SUFFIXES = {"news": "", "moore": "-moore", "differential-drive": "-drive", "octile": "-octile"}
MAZES_15 = DataConfig(kind="maze", height=15, width=15, maps=10_000, motion="news")


def _paper_table() -> dict[str, RunConfig]:
    """Table 1 of the paper: three networks at three sizes, 5,000 maps each unless a file is named."""
    presets = {}
    for side in (8, 16, 28):
        data = DataConfig(height=side, width=side)
        paper = PaperConfig(iterations_per_side=PAPER_ITERATIONS_PER_SIDE[side])
        presets[f"gridworld-{side}-paper"] = RunConfig(paper, data, AUTHORS)
        presets[f"gridworld-{side}-paper-best-start"] = RunConfig(paper, data, AUTHORS_BEST_START)
        presets[f"gridworld-{side}-paper-authors-start"] = RunConfig(paper, data, AUTHORS, init="authors")
        every_cell = RunConfig(paper, data, ALL_CELLS_AGAIN, init="gridworld-16-paper-all-cells")
        presets[f"gridworld-{side}-paper-all-cells"] = every_cell if side == 28 else RunConfig(paper, data, ALL_CELLS)
        cnn, fcn = CNNConfig(height=side, width=side), FCNConfig(height=side, width=side)
        presets[f"gridworld-{side}-cnn"] = RunConfig(cnn, data, CNN_AUTHORS)
        presets[f"gridworld-{side}-fcn"] = RunConfig(fcn, data, FCN_AUTHORS_8 if side == 8 else FCN_AUTHORS)
    return presets


def _mazes() -> dict[str, RunConfig]:
    """Mazes with every motion model of the GPPN paper, and with the VIN paper's 8 moves.

    Without a suffix: the shortest-path design (the preset maze-15 is NEWS); -normalized: that design, on 10,000 mazes.
    """
    presets = {}
    for name, suffix in MAZE_SUFFIXES.items():
        moves = motion_model(name)
        actions, orientations = moves.num_actions, moves.num_orientations
        policy = NormalizedConfig(actions, num_orientations=orientations, iterations_per_side=MAZE_ITERATIONS)
        shortest = ShortestPathConfig(actions, num_orientations=orientations)
        for side in (15, 28):
            data = DataConfig(kind="maze", height=side, width=side, maps=10_000, motion=name)
            presets[f"maze-{side}{suffix}-normalized"] = RunConfig(policy, data, TrainingConfig(epochs=10))
            presets[f"maze-{side}{suffix}"] = RunConfig(shortest, replace(data, maps=3000), TWO_PHASES)
    return presets


def _reinforcement() -> dict[str, RunConfig]:
    """From reward alone: 8 moves, and with -news the 4 moves of the paper; -cnn: the paper's network without a plan.

    Beyond the paper, at 8x8: moves that slip, and fields of rewards.
    """
    presets = {}
    for side, epochs in ((8, 24), (16, 36)):  # of 60 epochs at this rate two of three seeds collapsed on the way
        learn = replace(FROM_REWARD, epochs=epochs)
        for motion, suffix in (("octile", ""), ("news", "-news")):
            actions = motion_model(motion).num_actions
            data = DataConfig(height=side, width=side, motion=motion)
            presets[f"gridworld-{side}-rl{suffix}"] = RunConfig(NormalizedConfig(actions), data, learn)
            slower = replace(learn, learning_rate=0.0005, weight_decay=0.0, starts=1)
            presets[f"gridworld-{side}-rl{suffix}-cnn"] = RunConfig(CNNConfig(actions, side, side), data, slower)
    eight = presets["gridworld-8-rl"]
    stays = replace(eight.reinforcement, slip=0.2, rewards=RewardConfig(collisions="stays"))
    presets["gridworld-8-rl-slip"] = replace(eight, reinforcement=stays)
    fields = replace(eight.reinforcement, goals=3, rewards=RewardConfig(step=-0.02, step_cost="length"))
    presets["gridworld-8-rl-fields"] = replace(
        eight,
        policy=NormalizedConfig(num_terrains=2),
        data=replace(eight.data, terrain_costs=(1.0, 5.0)),
        reinforcement=fields,
    )
    return presets


#: Overhead images: nothing but the demonstrated paths teaches.
DEMONSTRATED = TrainingConfig(
    supervision="demonstrations",
    loss="tied-label",
    epochs=10,
    batch_size=8,
    learning_rate=0.004,
    largest_gradient=1.0,
    precision="bfloat16",
)
#: Factor on the learned costs: on 500 maps that no table uses it gave the most success for the least detour.
CAUTION = 40.0


#: The same for a body that is pushed, and how dear cells are from the start. More caution helps in mazes and delays
#: bodies past single obstacles. On 100 mazes and 100 arenas that no table uses, three seeds, a caution of 2, 3 and 6
#: gave 81, 86 and 89 % success in mazes, and 96, 95 and 93 % in arenas.
CONTROL_CAUTION, CONTROL_GAIN = 3.5, 18.0


def _terrain() -> dict[str, RunConfig]:
    """The VIN on overhead images and its two baselines, with the same encoder and the same number of epochs.

    mars and moon take their maps from a file (`torchvin data --kind mars`) and the pixels per cell from the planet; the
    encoder is half as wide, because there are few different pixels.
    """
    reactive = replace(DEMONSTRATED, loss="single-label", learning_rate=0.002)
    presets = {}
    for name, kind, maps, pixels, channels, rate in (
        ("terrain-16", "terrain", 9000, 8, 16, 0.004),
        ("mars-16", "mars", 4000, 4, 8, 0.004),
        ("moon-16", "moon", 4000, 8, 8, 0.001),  # at 0.004 all costs fell to nothing, and paths were straight
    ):
        data = DataConfig(kind=kind, maps=maps)
        vin = TerrainConfig(cell_pixels=pixels, encoder_channels=channels, encoder_blocks=2, caution=CAUTION)
        classifier = TerrainClassifierConfig(cell_pixels=pixels, encoder_channels=channels, encoder_blocks=2)
        cnn = TerrainCNNConfig(cell_pixels=pixels, encoder_channels=channels, encoder_blocks=2)
        presets[name] = RunConfig(vin, data, replace(DEMONSTRATED, learning_rate=rate))
        presets[f"{name}-classifier"] = RunConfig(classifier, data, DEMONSTRATED)
        presets[f"{name}-cnn"] = RunConfig(cnn, data, reactive)
    return presets


def _control() -> dict[str, RunConfig]:
    """The VIN that pushes a body, its variants, and the baselines: 200 arenas, as the paper has."""
    data = DataConfig(kind="arena", maps=200)
    learn = TrainingConfig(epochs=20, batch_size=16, learning_rate=0.003)
    policies = {
        "": ControlConfig(caution=CONTROL_CAUTION, cost_gain=CONTROL_GAIN),
        "-normalized": ControlConfig(planner="normalized"),
        "-paper": ControlConfig(planner="paper"),
        "-cnn": ControlCNNConfig(),
        "-mlp": ControlMLPConfig(),
    }
    return {f"control{suffix}": RunConfig(policy, data, learn) for suffix, policy in policies.items()}


#: PPO after imitation. 1,000 validation walks, because epochs differ by less than the interval of 256.
WALKS_FROM_REWARD = TrainingConfig(
    method="reinforcement", epochs=6, batch_size=32, learning_rate=0.002, validation_maps=1000
)
WALKS = ReinforcementConfig(maps=128, horizon=6, passes=2, rollouts=10, entropy=0.0, exploration=0.0, replay=0.0)


def _webnav() -> dict[str, RunConfig]:
    """Walks on a web: planning on its pages, on its categories, and the baseline without planning."""
    learn = TrainingConfig(epochs=3, learning_rate=0.005)
    policies: dict[str, ArchitectureConfig] = {
        "webnav": WebNavConfig(),
        "webnav-categories": WebNavConfig(planner="categories", link_cost=1.0),
        "webnav-reactive": WebReactiveConfig(),
    }
    small = replace(learn, epochs=6)  # -small: for webs of few queries, such as FOLDOC
    presets = {name: RunConfig(policy, training=learn) for name, policy in policies.items()}
    presets |= {f"{name}-small": RunConfig(policy, training=small) for name, policy in policies.items()}
    for name, policy in policies.items():  # -rl: from the weights of that name on
        presets[f"{name}-rl"] = RunConfig(policy, training=WALKS_FROM_REWARD, init=name, reinforcement=WALKS)
    # A plan on all pages is made anew after every link, and there is less to gain.
    presets["webnav-rl"] = replace(presets["webnav-rl"], reinforcement=replace(WALKS, rollouts=5))
    return presets


#: name -> training. Without a suffix: the normalized design, K = 2 a side. From 16x16 on twice the hidden channels
#: learn the few obstacle patterns that 32 miss; 15 epochs of 4,000 maps of 28x28 take less than a minute.
PRESETS: dict[str, RunConfig] = {
    "gridworld-8": RunConfig(data=DataConfig(height=8, width=8)),
    "gridworld-16": RunConfig(
        policy=NormalizedConfig(hidden_channels=64),
        data=DataConfig(height=16, width=16),
        training=TrainingConfig(batch_size=16),
    ),
    "gridworld-28": RunConfig(
        policy=NormalizedConfig(hidden_channels=64),
        data=DataConfig(height=28, width=28, maps=4000),
        training=TrainingConfig(epochs=15, batch_size=24),
    ),
    **_mazes(),
    "gridworld-16-shortest-path": RunConfig(ShortestPathConfig(), DataConfig(), replace(TWO_PHASES, epochs=15)),
    "maze-15-gppn": RunConfig(GPPNConfig(), MAZES_15, GPPN_RECIPE),
    "maze-15-vin": RunConfig(
        PaperConfig(num_actions=4, num_q=600, kernel_size=5, iterations_per_side=2.0), MAZES_15, GPPN_RECIPE
    ),
    "maze-15-dynamic": RunConfig(DynamicConfig(), MAZES_15, TrainingConfig(epochs=30)),
    **_paper_table(),
    **_reinforcement(),
    **_terrain(),
    **_control(),
    **_webnav(),
}


def preset(name: str) -> RunConfig:
    """The preset of that name.

    Raises: InputError with the nearest name that exists.
    """
    if name not in PRESETS:
        raise unknown_name("preset", name, PRESETS)
    return PRESETS[name]
