"""What every timer is: options, measurements as JSON, tables for people, and files that keep a run."""

import datetime
import inspect
import json
import platform
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch

from torchvin.bench.machine import processor
from torchvin.errors import InputError
from torchvin.io.files import check_writable, replacing
from torchvin.io.tables import Table


@dataclass(frozen=True)
class Timer(ABC):
    """A measurement of time or memory. A timer is its own options: the fields are the flags of its command."""

    name: ClassVar[str]

    threads: int = 1
    """Threads of PyTorch and of the compiled kernel."""
    out: Path | None = None
    """Folder for NAME.json and NAME.md; nothing is written if not given."""
    json: bool = False
    """Print one JSON object on the last line."""

    @classmethod
    def summary(cls) -> str:
        """What is measured, for --help."""
        return inspect.cleandoc(cls.__doc__ or "").splitlines()[0]

    @property
    def device_name(self) -> str:
        """Name of the device that is measured."""
        return "cpu"

    def check(self) -> None:
        """Check the options before any work is done.

        Raises: InputError.
        """
        if self.threads < 1:
            raise InputError(f"--threads must be at least 1, got {self.threads}.")
        if self.out:
            check_writable(self.out / f"{self.name}.json")

    def run(self) -> dict[str, Any]:
        """Measure; the JSON object of the command: what `measure` gives, with machine and date.

        Raises: InputError for wrong options, or if the folder cannot be written.
        """
        self.check()
        torch.set_num_threads(self.threads)
        content = {
            **self.measure(),
            "machine": {
                "processor": processor(),
                "device": self.device_name,
                "threads": self.threads,
                "torch": torch.__version__,
                "python": platform.python_version(),
            },
            "date": datetime.datetime.now(tz=datetime.timezone.utc).date().isoformat(),
        }
        if self.out:
            self.write(content, self.out)
        return content

    def write(self, content: Mapping[str, Any], out: Path) -> None:
        """Write `NAME.json` and `NAME.md` into a folder.

        Raises: InputError if it cannot be written.
        """
        for suffix, text in (("json", json.dumps(content, indent=1) + "\n"), ("md", self.report(content))):
            with replacing(out / f"{self.name}.{suffix}") as temporary:
                temporary.write_text(text)

    def report(self, content: Mapping[str, Any]) -> str:
        """A run in Markdown: what was measured where, and its tables."""
        machine = content["machine"]
        where = f"{content['date']}, {machine['processor']}, {machine['threads']} thread(s), torch {machine['torch']}"
        tables = (f"{table.title}:\n\n{table.markdown()}" for table in self.tables(content))
        title = f"# {self.summary().rstrip('.')}"
        return "\n\n".join([title, f"{where}. `torchvin bench {self.name}`.", *tables]) + "\n"

    @abstractmethod
    def measure(self) -> dict[str, Any]:
        """The measurements as JSON; `rows` holds one object per line of the main table."""

    @abstractmethod
    def tables(self, content: Mapping[str, Any]) -> Sequence[Table]:
        """What a terminal shows of the measurements."""
