"""Break the code on purpose and see a named test fail: `make mutants`, or `python tests/mutants/run.py [NAME ...]`.

Each entry of mutants.toml replaces one piece of a source file. The test that it names must pass before and fail after.
The file is restored whatever happens.
"""

import subprocess
import sys
from pathlib import Path

import tomllib

ROOT = Path(__file__).parents[2]


def survives(mutant: dict[str, str]) -> str:
    """Why a mutant counts as surviving; empty if its test fails because of it."""
    path = ROOT / mutant["file"]
    before = path.read_text()
    if before.count(mutant["old"]) != 1:
        return f"its text occurs {before.count(mutant['old'])} times in {mutant['file']}, expected once"
    if not passes(mutant["test"]):
        return f"{mutant['test']} fails without it"
    path.write_text(before.replace(mutant["old"], mutant["new"]))
    try:
        return f"{mutant['test']} passes with it" if passes(mutant["test"]) else ""
    finally:
        path.write_text(before)


def passes(test: str) -> bool:
    """Whether a test passes; a test that does not exist, or is skipped, does not."""
    command = [
        sys.executable,
        "-B",
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "--jaxtyping-packages=",
        "-m",
        "",
        *test.split(),
    ]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return result.returncode == 0 and " passed" in result.stdout


def main(names: list[str]) -> int:
    mutants = tomllib.loads((Path(__file__).with_name("mutants.toml")).read_text())["mutant"]
    chosen = [mutant for mutant in mutants if not names or mutant["name"] in names]
    alive = 0
    for mutant in chosen:
        reason = survives(mutant)
        alive += bool(reason)
        print(f"{'SURVIVES' if reason else 'killed':9} {mutant['name']}: {reason or mutant['test']}", flush=True)
    print(f"{len(chosen) - alive} of {len(chosen)} killed")
    return int(alive > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
