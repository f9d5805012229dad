"""Subcommands of a verb from a registry of dataclasses."""

import inspect
from collections.abc import Mapping
from typing import Annotated, Any, Union

import tyro


def one_of(choices: Mapping[str, type]) -> Any:
    """The type of a command line that names one of several dataclasses, whose fields are its flags.

    Args:
        choices: name of the subcommand -> dataclass; its docstring is the help.
    """
    commands = tuple(
        Annotated[kind, tyro.conf.subcommand(name, description=inspect.cleandoc(kind.__doc__ or ""), prefix_name=False)]
        for name, kind in choices.items()
    )
    return Annotated[Union[commands], tyro.conf.OmitSubcommandPrefixes]  # noqa: UP007 - built at run time
