"""Numbers from papers, with where they stand. Only what was checked at its source is here."""

from dataclasses import dataclass

from torchvin.data.dataset import AUTHORS, MapDataset
from torchvin.mdp.motion import GridMotion


@dataclass(frozen=True)
class PublishedScore:
    """One row of a paper's table; rates in [0, 1]."""

    prediction_loss: float
    success_rate: float
    trajectory_difference: float


VIN_PAPER = (
    "A. Tamar, Y. Wu, G. Thomas, S. Levine, P. Abbeel: Value Iteration Networks. NIPS 2016, Table 1 (arXiv:1602.02867)"
)
#: Table 1, network -> side of the map -> row. "Prediction loss" is the 0-1 error against one demonstrated action.
VIN_TABLE_1 = {
    "VIN": {
        8: PublishedScore(0.004, 0.996, 0.001),
        16: PublishedScore(0.05, 0.993, 0.089),
        28: PublishedScore(0.11, 0.97, 0.086),
    },
    "CNN": {
        8: PublishedScore(0.02, 0.979, 0.006),
        16: PublishedScore(0.10, 0.876, 0.06),
        28: PublishedScore(0.13, 0.742, 0.078),
    },
    "FCN": {
        8: PublishedScore(0.01, 0.973, 0.004),
        16: PublishedScore(0.07, 0.883, 0.05),
        28: PublishedScore(0.09, 0.766, 0.08),
    },
}


def vin_in_the_paper(dataset: MapDataset) -> PublishedScore | None:
    """The VIN of the paper on maps like these: those of its Table 1.

    Args:
        dataset: maps that a policy was scored on.

    Returns: the row of their size; None unless the maps are the paper's task: drawn by the authors' generator or read
        from their files, of a size in the table, with the paper's motion model and one class of terrain.
    """
    height, width = dataset.size
    drawn_as_in_the_paper = dataset.source in ("gridworld", AUTHORS)
    if not drawn_as_in_the_paper or height != width or dataset.moves != GridMotion() or dataset.terrain is not None:
        return None
    return VIN_TABLE_1["VIN"].get(height)


@dataclass(frozen=True)
class PublishedMazes:
    """One cell of a table on mazes; rates over all open states, in [0, 1].

    Attributes:
        network: as its paper names it.
        side, motion, maps: of the data, `maps` the number of training maps.
        optimal_rate, success_rate: %Opt and %Suc of the GPPN paper; None where a table has only one of them.
        source: key of `MAZE_SOURCES`.
    """

    network: str
    side: int
    motion: str
    maps: int
    optimal_rate: float | None
    success_rate: float
    source: str


MAZE_SOURCES = {
    "GPPN": (
        "L. Lee, E. Parisotto, D. S. Chaplot, E. Xing, R. Salakhutdinov: Gated Path Planning Networks. ICML 2018; the "
        "table of the authors' code (PyTorch 0.4), whose README says that the paper's values differ slightly"
    ),
    "SymVIN": (
        "L. Zhao, X. Zhu, L. Kong, R. Walters, L. L. S. Wong: Integrating Symmetry into Differentiable Planning with "
        "Steerable Convolutions. ICLR 2023, 10,000 training maps, 3 seeds. Its code can estimate success from one map "
        "of each batch, so its success may not be ours"
    ),
    "DT-VIN": (
        "Y. Wang, Q. Wu, D. R. Ashley, F. Faccio, W. Li, C. Huang, J. Schmidhuber: Scaling Value Iteration Networks to "
        "5000 Layers for Extreme Long-Term Planning. ICML 2025"
    ),
}
#: What the DT-VIN paper says of its mazes, as recalled from a summary: unverified.
DT_VIN_RECALLED = (
    "As recalled, unverified: at 100x100 paths have up to 1,800 steps; DT-VIN needs 5,000 layers, 61 GB and 97 hours "
    "of an A100, trained on 25,000 mazes of that size; VIN stays below 40 % success there, and has none at 35x35 "
    "beyond 60 steps."
)


def _gppn() -> tuple[PublishedMazes, ...]:
    """%Opt and %Suc of VIN and GPPN by side, motion and thousands of training maps."""
    table = {
        (15, "news"): {10: (77.4, 79.0, 96.8, 97.8), 25: (83.6, 84.2, 99.0, 99.3), 100: (92.6, 92.8, 99.7, 99.8)},
        (15, "moore"): {10: (86.0, 89.3, 97.0, 98.0), 25: (85.4, 88.1, 98.9, 99.5), 100: (96.9, 97.5, 99.6, 99.8)},
        (15, "differential-drive"): {
            10: (98.4, 99.0, 99.1, 99.7),
            25: (96.1, 98.5, 98.9, 99.5),
            100: (99.0, 99.4, 99.8, 99.9),
        },
        (28, "news"): {25: (83.4, 84.2, 96.5, 97.8)},
        (28, "moore"): {25: (73.3, 81.0, 96.5, 97.9)},
        (28, "differential-drive"): {25: (82.0, 93.6, 95.3, 98.0)},
    }
    return tuple(
        PublishedMazes(network, side, motion, 1000 * maps, optimal / 100, success / 100, "GPPN")
        for (side, motion), rows in table.items()
        for maps, numbers in rows.items()
        for network, optimal, success in (("VIN", *numbers[:2]), ("GPPN", *numbers[2:]))
    )


def _symvin() -> tuple[PublishedMazes, ...]:
    """Success at 15, 28 and 50 with 4 moves."""
    table = {
        "VIN": (66.97, 67.57, 57.92),
        "SymVIN": (98.99, 98.14, 86.20),
        "GPPN": (96.36, 95.77, 91.84),
        "ConvGPPN": (99.75, 99.09, 97.21),
        "SymGPPN": (99.98, 99.86, 99.49),
    }
    return tuple(
        PublishedMazes(network, side, "news", 10_000, None, rate / 100, "SymVIN")
        for network, rates in table.items()
        for side, rate in zip((15, 28, 50), rates, strict=True)
    )


MAZES = (*_gppn(), *_symvin())

#: Success by TRPO with a curriculum, as recalled and unverified: network -> side of the map -> rate.
RL_RECALLED_SUCCESS = {"VIN": {8: 0.909, 16: 0.825}, "CNN": {8: 0.869, 16: 0.331}}
RL_RECALLED = (
    "TRPO with a curriculum and 4 moves, as recalled and unverified: VIN 90.9 % at 8x8 and 82.5 % at 16x16, CNN 86.9 % "
    "and 33.1 %."
)
