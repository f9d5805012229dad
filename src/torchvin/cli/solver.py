"""The options --solve, --iterations and --caution of the verbs that plan."""

from torchvin.errors import InputError
from torchvin.policies.policy import Policy


def choose_solver(policy: Policy, solve: str | None, iterations: int | None) -> None:
    """Let `policy` plan as asked.

    Raises: InputError for a policy that has no such choice, or a number of updates where none are made.
    """
    if iterations is not None and iterations < 1:
        raise InputError(f"--iterations must be at least 1, got {iterations}.")
    if solve is not None:
        if policy.planner is None or not policy.planner.solver:
            raise InputError(f"--solve {solve}: these weights have one way to plan; leave it out.")
        policy.planner.set_solver({"solve": solve})
    if iterations is not None and policy.planner is not None and policy.planner.exact:
        raise InputError(
            f"--iterations {iterations} counts value updates, and these weights plan by a graph search; "
            "add --solve iterate, or leave it out."
        )


def choose_caution(policy: Policy, caution: float | None) -> None:
    """Let `policy` be as cautious as asked; None leaves it as its weights are.

    Raises: InputError for a policy without learned costs, or a number that is not positive.
    """
    if caution is None:
        return
    if policy.planner is None or "caution" not in policy.planner.solver:
        raise InputError(f"--caution {caution:g}: these weights have no learned costs to multiply; leave it out.")
    policy.planner.set_solver({"caution": caution})
