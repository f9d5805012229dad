"""`torchvin VERB ...`: one table of verbs; each is imported when it is called."""

import importlib
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torchvin.errors import InputError, TrainingError, unknown_name
from torchvin.io.files import disk_full

#: verb -> what it does; the verb's module holds `Arguments`, a dataclass, and `run(arguments)`.
VERBS = {
    "list": "list environments, presets, weights, architectures, generators, motion models, map formats and kernels",
    "data": "draw maps, solve them with the expert, write a data set",
    "train": "train a network by imitation, or from reward",
    "eval": "score weights on a data set",
    "plan": "plan a path on your own map and draw it",
    "browse": "walk a web of pages to the one that a few words describe, and say why",
    "reproduce": "print the papers' tables beside ours, from shipped or new weights",
    "export": "write weights as an ONNX model",
    "bench": "measure time and memory on this machine: the operator, planners, the steps around them",
    "info": "show versions, devices, threads, and which kernels work here",
}

#: Packages whose modules have other names.
_PACKAGES = {"PIL": "pillow", "yaml": "pyyaml"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb.

    Returns: the exit status: 0 done, 2 bad input or a full disk (one line says what), 3 the policy of `plan` did not
        arrive, 1 anything else.
    """
    try:
        with _warnings_in_one_line():
            status = _dispatch(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except (InputError, TrainingError) as error:
        print(f"torchvin: {' '.join(str(error).split())}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    except KeyboardInterrupt:
        print("torchvin: interrupted", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of our output has gone, as `| head` does: not a fault
        _drop_output()
        return 0
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("torchvin"):
            raise
        module = error.name.partition(".")[0]
        package = _PACKAGES.get(module, module)
        print(f"torchvin: this needs {package}, which is not installed: pip install {package}.", file=sys.stderr)
        return 1
    except Exception as error:
        full = disk_full(error)
        if full is None:
            raise
        what = f"cannot write {full.filename}" if full.filename else "cannot write the output"
        print(f"torchvin: {what}: {full.strerror}; free space or choose another place.", file=sys.stderr)
        _drop_output()
        return 2
    return status


def _dispatch(arguments: Sequence[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(usage())
        return 0 if arguments else 2
    if arguments[0] == "--version":
        from torchvin import __version__

        print(__version__)
        return 0
    verb, *rest = arguments
    if verb not in VERBS:
        raise unknown_name("verb", verb, VERBS)
    return _run(verb, rest)


@contextmanager
def _warnings_in_one_line() -> Iterator[None]:
    """Our warnings without the line of code that gave them, which says nothing to who typed a command."""
    before = warnings.formatwarning

    def formatted(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
    ) -> str:
        if category is UserWarning and "torchvin" in filename:
            return f"torchvin: {message}\n"
        return before(message, category, filename, lineno, line)

    warnings.formatwarning = formatted
    try:
        yield
    finally:
        warnings.formatwarning = before


def _drop_output() -> None:
    """Where standard output cannot be written, drop what it still holds: Python would try again, and fail, at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def usage() -> str:
    """The help of the command itself."""
    width = max(map(len, VERBS))
    lines = [f"  {verb:<{width}}  {summary}" for verb, summary in VERBS.items()]
    return "\n".join(
        ["usage: torchvin VERB [options]", "", *lines, "", "`torchvin VERB --help` lists the options of a verb."]
    )


def _run(verb: str, rest: Sequence[str]) -> int:
    """Run a verb; its `run` may return an exit status of its own."""
    import tyro

    module = importlib.import_module(f"torchvin.cli.{verb}")
    defaults = getattr(module, "defaults", None)  # `train` takes its defaults from a preset
    status: int | None = module.run(
        tyro.cli(
            module.Arguments,
            args=rest,
            prog=f"torchvin {verb}",
            description=VERBS[verb],
            **({"default": defaults(rest)} if defaults else {}),
        )
    )
    return status or 0
