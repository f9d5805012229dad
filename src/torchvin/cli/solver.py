"""The options --solve and --iterations of the verbs that plan."""

from torchvin.errors import InputError
from torchvin.planning.planners.latent_graph import Solve
from torchvin.policies.policy import Policy
from torchvin.policies.shortest_path import ShortestPathPolicy, set_solver


def choose_solver(policy: Policy, solve: Solve | None, iterations: int | None) -> None:
    """Let `policy` plan as asked.

    Raises: InputError for a policy that has no such choice, or a number of updates where none are made.
    """
    if iterations is not None and iterations < 1:
        raise InputError(f"--iterations must be at least 1, got {iterations}.")
    if solve is not None:
        set_solver(policy, solve)
    if iterations is not None and isinstance(policy, ShortestPathPolicy) and policy.planner.solve == "exact":
        raise InputError(
            f"--iterations {iterations} counts value updates, and these weights plan by a graph search; "
            "add --solve iterate, or leave it out."
        )
