"""The gated planner (GPPN): an LSTM in every cell replaces the maximum of value iteration."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from torchvin.errors import InputError
from torchvin.planning.planners.planner import Planner
from torchvin.planning.recurrence import check_gradient, segment_length, segments
from torchvin.types import PlannerOutput


class GatedPlanner(Planner):
    """Gated Path Planning Network (Lee, Parisotto, Chaplot, Xing, Salakhutdinov: ICML 2018, arXiv:1806.06408).

    Every cell has an LSTM; all cells share its weights. In each step an F x F convolution of the hidden states to one
    channel is the input of the LSTMs. Hidden state and cell state start as 3x3 convolutions of the features. A linear
    layer on the last hidden state gives the scores of the actions.

    K is the exact number of LSTM steps. The authors' code makes one step fewer than its `k`: their K = 20 is 19 here.
    The recurrence is trained for its K and need not converge. Its plans are known to degrade at larger K (SymVIN, ICLR
    2023, on GPPN at larger maps).

    The state is stored as [C, B * H * W], so that a step is two matrix products and a few operations on contiguous
    memory. On a CPU this is more than twice as fast as `LSTMCell` and `Conv2d`, whose weights are used. Under autocast
    the products run in half precision; the cell state and the sum of the messages stay in float32.

    Args:
        in_channels: number of channels of the features; of the observation if `features` is not given.
        features: module from the observation to features [B, C, H, W]; the observation itself if not given.
        num_actions: number of output scores.
        hidden_channels: number of channels of the LSTM (the paper: 150).
        kernel_size: F, odd (the paper: 3 to 11, chosen on validation maps).
        iterations_per_side: as in `Planner`.
        gradient: "unroll", or "checkpoint", which stores the states of about sqrt(K) steps only.

    Raises: InputError for an even F, or another gradient mode.

    >>> GatedPlanner(in_channels=2, num_actions=4, hidden_channels=8)(torch.rand(2, 2, 6, 9)).q_values.shape
    torch.Size([2, 4, 6, 9])
    """

    def __init__(
        self,
        *,
        in_channels: int,
        features: nn.Module | None = None,
        num_actions: int,
        hidden_channels: int = 150,
        kernel_size: int = 9,
        iterations_per_side: float = 20 / 15 - 1e-6,
        gradient: str = "unroll",
    ) -> None:
        super().__init__(iterations_per_side=iterations_per_side)
        if kernel_size % 2 == 0:
            raise InputError(f"kernel_size must be odd, got {kernel_size}: its centre is the cell itself.")
        check_gradient("gated", gradient)
        self.gradient = gradient
        self.features = features or nn.Identity()
        self.hidden = nn.Conv2d(in_channels, hidden_channels, 3, padding=1)
        self.cell = nn.Conv2d(in_channels, hidden_channels, 3, padding=1)
        self.message = nn.Conv2d(hidden_channels, 1, kernel_size, padding=kernel_size // 2)
        self.lstm = nn.LSTMCell(1, hidden_channels)
        self.readout = nn.Conv2d(hidden_channels, num_actions, 1, bias=False)

    @property
    def resumable(self) -> bool:
        return False

    def forward(
        self,
        observation: Float[Tensor, "B C H W"],
        *,
        num_iterations: int | None = None,
        initial_value: Float[Tensor, "B 1 H W"] | None = None,
    ) -> PlannerOutput:
        """Plan on an observation, [B, C, H, W].

        Returns: `q_values`, the score of each action, [B, A, H, W]. `value`, the message that the cells would read
            next, [B, 1, H, W]. `residual`, the largest difference between this message and the last one, [B]; with
            K = 0 the last one counts as 0.
        Raises: InputError for a negative K, or for an initial value: the state of an LSTM is not a value.
        """
        steps = self.iterations_of_call(num_iterations, observation)
        if initial_value is not None:
            raise InputError("a gated planner cannot continue from a value: it has a state of its own; plan anew.")
        batch, _, height, width = observation.shape
        gates = self._gates()

        def step(hidden: Tensor, cell: Tensor, read: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            read = self._read(hidden, height, width).reshape(1, -1)
            inputs = torch.cat([hidden, read.to(hidden.dtype), torch.ones_like(hidden[:1])])
            enter, keep, new, show = (gates @ inputs).sigmoid().chunk(4)
            cell = keep * cell + enter * (2 * new - 1)
            hidden = show * (2 * (2 * cell).sigmoid() - 1).to(show.dtype)  # tanh(x) = 2 sigmoid(2x) - 1, and faster
            return hidden, cell, read

        features = self.features(observation)
        hidden, cell = (begin(features).movedim(1, 0).flatten(1) for begin in (self.hidden, self.cell))
        start = (hidden, cell.to(gates.dtype), features.new_zeros(1, batch * height * width))
        *_, (_, last) = segments(step, start, steps, segment_length(steps, self.gradient), self.gradient)
        hidden, _, read = last
        value = self._read(hidden, height, width)
        residual = (value.detach() - read.detach().view_as(value)).abs().flatten(1).amax(dim=1)
        scores = (self.readout.weight.flatten(1) @ hidden).view(-1, batch, height, width).movedim(0, 1)
        return PlannerOutput(q_values=scores, value=value, num_iterations=steps, residual=residual)

    def _gates(self) -> Float[Tensor, "G I"]:
        """The LSTM's weights for (hidden state, message, 1) as one matrix.

        The rows of tanh are doubled, because tanh is computed by a sigmoid.
        """
        lstm = self.lstm
        weight = torch.cat([lstm.weight_hh, lstm.weight_ih, (lstm.bias_ih + lstm.bias_hh)[:, None]], dim=1)
        enter, keep, new, show = weight.chunk(4)
        return torch.cat([enter, keep, 2 * new, show])

    def _read(self, hidden: Float[Tensor, "C N"], height: int, width: int) -> Float[Tensor, "B 1 H W"]:
        """The convolution to one channel: the contributions of a cell's F * F neighbours, summed in the cell."""
        weight, bias = self.message.weight, self.message.bias
        assert bias is not None
        reach = weight.shape[-1] // 2
        to_neighbours = weight[0].flip(1, 2).flatten(1).T  # [F * F, C]
        sent = (to_neighbours @ hidden).to(weight.dtype).view(len(to_neighbours), -1, height * width).transpose(0, 1)
        arrived: Tensor = functional.fold(sent, (height, width), 2 * reach + 1, padding=reach)
        return arrived + bias
