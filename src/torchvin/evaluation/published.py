"""Numbers from papers, with where they stand. Only what was checked at its source is here."""

from dataclasses import dataclass


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
