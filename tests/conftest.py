"""Shared fixtures: maps drawn as text, the true grid-world model, and one Hypothesis profile."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import jaxtyping
import pytest
import torch
from hypothesis import HealthCheck, settings
from torch import Tensor

settings.register_profile(
    "torchvin",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("torchvin")

# A shell that starts a job in the background makes it ignore Ctrl-C, and so would the processes that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Tables are as wide as the terminal, and some workers of pytest-xdist say that theirs has 80 columns.
os.environ["COLUMNS"] = "140"

# Read when Triton is first imported, by whichever test: without a GPU its kernels run in its interpreter.
if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"

# The tensors of the tests are small: beside other work on the machine a second thread makes them many times slower.
torch.set_num_threads(1)

TYPE_HOOK = any("jaxtyping" in type(finder).__module__ for finder in sys.meta_path)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out what the type hook breaks; `make test` runs it in a process without the hook."""
    if TYPE_HOOK and item.get_closest_marker("without_type_hook"):
        pytest.skip("a compiler cannot follow the type hook; run with --jaxtyping-packages=")


#: What an illegal move costs in the true model: far more than any path on a map of a test.
ILLEGAL = 1.0e6


@pytest.fixture(scope="session")
def draw() -> Callable[..., Tensor]:
    """Text to a map: `#` is an obstacle, anything else is free; rows may be given as one string split by `/`."""

    def drawn(*rows: str) -> Tensor:
        lines = rows[0].split("/") if len(rows) == 1 else rows
        return torch.tensor([[cell == "#" for cell in line] for line in lines])

    return drawn


@pytest.fixture(scope="session")
def random_maps() -> Callable[..., tuple[Tensor, Tensor]]:
    """Random maps without a border and a free goal each: blocked [B, H, W], goal [B, 2]."""

    def drawn(seed: int, batch: int, height: int, width: int, density: float = 0.3) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(seed)
        blocked = torch.rand(batch, height, width, generator=generator) < density
        row = torch.randint(height, (batch,), generator=generator)
        col = torch.randint(width, (batch,), generator=generator)
        blocked[torch.arange(batch), row, col] = False
        return blocked, torch.stack([row, col], dim=1)

    return drawn


@dataclass(frozen=True)
class TrueModel:
    """The grid world as the operator sees it."""

    q_reward: Tensor
    kernel: Tensor
    far: Tensor
    """V_0 that is 0 at the goal and minus `ILLEGAL` elsewhere: then V_K counts paths of at most K steps only."""


@pytest.fixture(scope="session")
def true_model() -> Callable[..., TrueModel]:
    """The deterministic grid world written by hand: actions N S E W NE NW SE SW, then "stay", free at the goal only.

    Each kernel is a single 1 at the cell that the action leads to; illegal moves cost `ILLEGAL`.
    """
    offsets = [(-1, 0), (1, 0), (0, 1), (0, -1), (-1, 1), (-1, -1), (1, 1), (1, -1)]

    def model(blocked: Tensor, goal: Tensor, *, num_actions: int = 8, corner_cutting: bool = True) -> TrueModel:
        batch, height, width = blocked.shape
        steps = offsets[:num_actions]
        q_reward = torch.full((batch, len(steps) + 1, height, width), -ILLEGAL, dtype=torch.float64)
        kernel = torch.zeros(len(steps) + 1, 1, 3, 3, dtype=torch.float64)

        def free(index: int, row: int, col: int) -> bool:
            return 0 <= row < height and 0 <= col < width and not bool(blocked[index, row, col])

        for action, (down, right) in enumerate(steps):
            kernel[action, 0, 1 + down, 1 + right] = 1.0
            for index in range(batch):
                for row in range(height):
                    for col in range(width):
                        legal = free(index, row, col) and free(index, row + down, col + right)
                        if not corner_cutting:
                            legal = legal and free(index, row + down, col) and free(index, row, col + right)
                        if legal:
                            q_reward[index, action, row, col] = -((down * down + right * right) ** 0.5)
        far = torch.full((batch, 1, height, width), -ILLEGAL, dtype=torch.float64)
        for index, (row, col) in enumerate(goal.tolist()):
            q_reward[index, -1, row, col] = 0.0
            far[index, 0, row, col] = 0.0
        return TrueModel(q_reward, kernel, far)

    return model


@pytest.fixture
def _unchecked_shapes() -> Iterator[None]:
    """For calls that are wrong on purpose: without beartype in front, our own message must come."""
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", before)
