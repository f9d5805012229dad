"""`torchvin VERB ...`: one table of verbs; each is imported when it is called."""

import importlib
import os
import sys
from collections.abc import Sequence

from torchvin.errors import InputError, TrainingError, unknown_name

#: verb -> what it does; the verb's module holds `Arguments`, a dataclass, and `run(arguments)`.
VERBS = {
    "list": "what there is: presets, weights, designs, generators, map formats, kernels",
    "data": "draw maps, let the expert solve them, write a data set",
    "train": "train a value iteration network by imitation",
    "eval": "score weights on a data set",
    "plan": "plan a path on a map of your own and draw it",
    "reproduce": "papers' tables beside ours (table1, mazes): from shipped weights, or everything from nothing",
    "export": "write weights as an ONNX model",
    "bench": "time and memory on this machine: the operator in every formulation, planners, the steps around them",
    "info": "versions, devices, threads, and which kernels work here",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; the exit status: 0 done, 2 bad input (one line says what), 1 anything else."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(usage())
        return 0 if arguments else 2
    if arguments[0] == "--version":
        from torchvin import __version__

        print(__version__)
        return 0
    try:
        verb, *rest = arguments
        if verb not in VERBS:
            raise unknown_name("verb", verb, VERBS)
        _run(verb, rest)
        sys.stdout.flush()
    except (InputError, TrainingError) as error:
        print(f"torchvin: {' '.join(str(error).split())}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    except KeyboardInterrupt:
        print("torchvin: interrupted", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of our output has gone, as `| head` does: not a fault
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def usage() -> str:
    """The help of the command itself."""
    width = max(map(len, VERBS))
    lines = [f"  {verb:<{width}}  {summary}" for verb, summary in VERBS.items()]
    return "\n".join(
        ["usage: torchvin VERB [options]", "", *lines, "", "`torchvin VERB --help` lists the options of a verb."]
    )


def _run(verb: str, rest: Sequence[str]) -> None:
    import tyro

    module = importlib.import_module(f"torchvin.cli.{verb}")
    defaults = getattr(module, "defaults", None)  # `train` takes its defaults from a preset
    module.run(
        tyro.cli(
            module.Arguments,
            args=rest,
            prog=f"torchvin {verb}",
            description=VERBS[verb],
            **({"default": defaults(rest)} if defaults else {}),
        )
    )
