"""The expert of the continuous domain: forces by trajectory optimization, for thousands of bodies at once.

Away from obstacles the dynamics are linear, so only the constraints are hard: forces are bounded, and the body keeps
its distance from obstacles. The alternating direction method of multipliers (Boyd et al. 2011, section 9) takes turns
between a least-squares problem whose matrix is the same for every body, and projections of each position and force by
itself. It begins at the grid's shortest path.
"""

import copy
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchvin.experts.routes import Routes
from torchvin.maps.arenas import Arenas
from torchvin.mdp.point_mass import HALF_SIDE, PointMass, advance, signed_distance


@dataclass(frozen=True)
class TrajectoryConfig:
    """Costs and constants of the optimization.

    Attributes:
        horizon: control steps.
        distance_weight: of half the squared distance to the goal, in every step.
        force_weight: of half the squared force.
        change_weight: of half the squared change of force between steps: what a policy can imitate.
        comfort: distance from obstacles that is kept where there is room.
        least: distance from obstacles that is always asked for.
        iterations: of the method.
        penalty: weight of the distance between positions and their projection.
        force_penalty: the same of forces.
    """

    horizon: int = 100
    distance_weight: float = 0.1
    force_weight: float = 0.02
    change_weight: float = 0.1
    comfort: float = 0.07
    least: float = 0.03
    iterations: int = 60
    penalty: float = 200.0
    force_penalty: float = 1.0


@dataclass(frozen=True)
class Trajectories:
    """What the expert does with N bodies.

    Attributes:
        force: [N, T, 2].
        state: positions and velocities before each step and after the last one, by the true dynamics, [N, T + 1, 4].
        touched: whether the body touches an obstacle or wall in a step, [N, T].
    """

    force: Float[Tensor, "N T 2"]
    state: Float[Tensor, "N T1 4"]
    touched: Bool[Tensor, "N T"]

    def successful(self, goal: Float[Tensor, "N 2"], radius: float) -> Bool[Tensor, "N"]:
        """Whether each body ends within `radius` of its goal and never touches anything."""
        arrived: Tensor = (self.state[:, -1, :2] - goal).norm(dim=1) <= radius
        return arrived & ~self.touched.any(dim=1)


class TrajectoryOptimizer:
    """The expert on a set of arenas.

    Args:
        arenas: B.
        body: its constants.
        config: of the optimization.

    >>> from torchvin.maps.generators.arenas import generate_arenas
    >>> arenas = generate_arenas(2, seed=0)
    >>> found = TrajectoryOptimizer(arenas).from_start()
    >>> found.successful(arenas.goal, 0.1).tolist()
    [True, True]
    """

    def __init__(self, arenas: Arenas, body: PointMass | None = None, config: TrajectoryConfig | None = None) -> None:
        self.arenas, self.body, self.config = arenas, body or PointMass(), config or TrajectoryConfig()
        self.routes = Routes(arenas, self.body)
        self._obstacles = arenas.obstacles.float()
        self._prepare()

    def _prepare(self) -> None:
        """The matrices that all problems share: position = drift + effect @ force on each axis."""
        config, horizon = self.config, self.config.horizon
        unit = torch.zeros(1, 4, dtype=torch.float64)
        nothing = torch.zeros(1, 0, 5, dtype=torch.float64)
        moved = []
        for start in ((0.0, 0.0, 1.0, 0.0), None):  # the speed 1, then the force 1 in the first step
            state = unit if start is None else torch.tensor([start], dtype=torch.float64)
            positions = []
            for step in range(horizon):
                force = torch.zeros(1, 2, dtype=torch.float64)
                force[0, 0] = float(start is None and step == 0)
                state = _free(state, force, nothing, self.body)
                positions.append(state[0, 0])
            moved.append(torch.stack(positions))
        self._drift, response = moved
        lag = torch.arange(horizon)[:, None] - torch.arange(horizon)
        effect = torch.where(lag >= 0, response[lag.clamp(min=0)], 0.0)
        change = torch.eye(horizon, dtype=torch.float64).diff(dim=0)
        square, one = effect.T @ effect, torch.eye(horizon, dtype=torch.float64)
        matrix = (
            (config.distance_weight + config.penalty) * square
            + (config.force_weight + config.force_penalty) * one
            + config.change_weight * change.T @ change
        )
        inverse = torch.linalg.inv(matrix)
        self._effect, self._solve = effect.float(), inverse.float()
        self._pull = (inverse @ effect.T).float()
        self._drift = self._drift.float()

    def with_horizon(self, horizon: int) -> "TrajectoryOptimizer":
        """The same expert, on the same arenas, that looks so many steps ahead."""
        other = copy.copy(self)
        other.config = replace(self.config, horizon=horizon)
        other._prepare()
        return other

    def from_start(self) -> Trajectories:
        """The trajectories from the starts of all arenas, at rest."""
        return self(torch.arange(len(self.arenas)), at_rest(self.arenas.start))

    @torch.no_grad()
    def __call__(self, which: Int[Tensor, "N"], state: Float[Tensor, "N 4"]) -> Trajectories:
        """Trajectories from any states of the arenas `which`."""
        force = self.optimize(which, state)
        return self.simulate(which, state, force.double())

    def simulate(
        self, which: Int[Tensor, "N"], state: Float[Tensor, "N 4"], force: Float[Tensor, "N T 2"]
    ) -> Trajectories:
        """What forces do, by the true dynamics."""
        obstacles, states, touches = self.arenas.obstacles[which], [state], []
        for step in range(force.shape[1]):
            state, touched = advance(state, force[:, step], obstacles, self.body)
            states.append(state)
            touches.append(touched)
        return Trajectories(force, torch.stack(states, dim=1), torch.stack(touches, dim=1))

    @torch.no_grad()
    def optimize(self, which: Int[Tensor, "N"], state: Float[Tensor, "N 4"]) -> Float[Tensor, "N T 2"]:
        """The forces, float32, within their bounds."""
        config, body = self.config, self.body
        obstacles = self._obstacles[which][:, None]  # one for all steps
        start, speed = state[:, :2].float(), state[:, 2:].float()
        goal = self.arenas.goal[which].float()
        position = self.timed_route(which, state)
        drift = start[:, None] + self._drift[None, :, None] * speed[:, None]
        free = drift - goal[:, None]
        bounded = torch.zeros_like(position)
        slack, force_slack = torch.zeros_like(position), torch.zeros_like(position)
        for _ in range(config.iterations):
            toward = config.penalty * (position - slack - drift) - config.distance_weight * free
            force = _apply(self._pull, toward) + _apply(self._solve, config.force_penalty * (bounded - force_slack))
            reached = drift + _apply(self._effect, force)
            position = self._kept_away(reached + slack, obstacles)
            bounded = (force + force_slack).clamp(-body.max_force, body.max_force)
            slack = slack + reached - position
            force_slack = force_slack + force - bounded
        return bounded

    def _kept_away(self, position: Float[Tensor, "N T 2"], obstacles: Tensor) -> Float[Tensor, "N T 2"]:
        """Positions moved out of obstacles, and most of the way to a comfortable distance from them."""
        body, config = self.body, self.config
        distance, away = signed_distance(position, obstacles)
        nearest, index = distance.min(dim=-1)
        normal = away.take_along_dim(index[..., None, None], dim=-2)[..., 0, :]
        lacking = (body.radius + config.comfort - nearest).clamp(min=0)
        missing = (body.radius + config.least - nearest).clamp(min=0)
        position = position + torch.maximum(0.5 * lacking, missing)[..., None] * normal
        inside = HALF_SIDE - body.radius - config.least
        return position.clamp(-inside, inside)

    def timed_route(self, which: Tensor, state: Tensor) -> Float[Tensor, "N T 2"]:
        """Where the body would be after each step if it went along the grid's shortest path."""
        points, length = self.routes(which, state[:, :2])
        steps = torch.cat([torch.zeros(len(points), 1), points.diff(dim=1).norm(dim=2).cumsum(dim=1)], dim=1).double()
        time = self.body.control_step * torch.arange(1, self.config.horizon + 1, dtype=torch.float64)
        lag = self.body.mass / self.body.damping if self.body.damping else 0.5
        speed = 0.8 * min(self.body.terminal_speed, 1.0)
        far = speed * (time - lag * (1 - (-time / lag).exp()))
        far = torch.minimum(far.expand(len(points), -1), length[:, None])
        after = torch.searchsorted(steps.contiguous(), far.contiguous()).clamp(1, points.shape[1] - 1)
        before, beyond = steps.gather(1, after - 1), steps.gather(1, after)
        share = ((far - before) / (beyond - before).clamp(min=1e-9)).clamp(0, 1)[..., None]
        index = after[..., None].expand(-1, -1, 2)
        return (points.gather(1, index - 1) * (1 - share) + points.gather(1, index) * share).float()


def at_rest(position: Float[Tensor, "B 2"]) -> Float[Tensor, "B 4"]:
    """The state of bodies that do not move."""
    return torch.cat([position, torch.zeros_like(position)], dim=1)


def _apply(matrix: Float[Tensor, "T T"], series: Float[Tensor, "N T 2"]) -> Float[Tensor, "N T 2"]:
    return torch.einsum("ts,nsd->ntd", matrix, series)


def _free(state: Tensor, force: Tensor, nothing: Tensor, body: PointMass) -> Tensor:
    """A step far from every wall, from the place where it is: the dynamics do not depend on it."""
    shift = torch.cat([state[:, :2], torch.zeros_like(state[:, :2])], dim=1)
    return advance(state - shift, force, nothing, body)[0] + shift
