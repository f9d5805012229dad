"""`import torchvin` is light, and the core works without what only the command line, training and plots need."""

import subprocess
import sys

import pytest

import torchvin
from torchvin.cli.list import KERNELS, MAP_FORMATS
from torchvin.data.draw import draw_maps
from torchvin.data.npz import write_npz
from torchvin.maps.formats.map_file import FORMATS
from torchvin.planning.kernels.registry import BACKENDS

HEAVY = ("scipy", "accelerate", "matplotlib", "rich", "tyro", "safetensors", "huggingface_hub", "PIL", "yaml")
NOT_CORE = ("accelerate", "huggingface_hub", "tyro", "rich", "matplotlib", "PIL", "yaml", "tensorboard", "gymnasium")

WITHOUT = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {NOT_CORE!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
"""

CORE = """
from pathlib import Path
import torch, torchvin

plan = torchvin.ValueIteration(transition=torchvin.NormalizedTransition(num_actions=4), num_iterations=20)
output = plan(torch.randn(2, 4, 9, 7, requires_grad=True))
output.q_values.sum().backward()
for name in torchvin.__all__:
    getattr(torchvin, name)
policy = torchvin.load_policy("gridworld-8")
dataset = torchvin.read_dataset(Path(sys.argv[1]))
assert torchvin.evaluate(policy, dataset).scores.success_rate == 1.0
torchvin.save_policy(sys.argv[2], policy)
"""


def test_every_public_name_is_there():
    for name in torchvin.__all__:
        assert getattr(torchvin, name) is not None


def test_what_there_is_is_listed_without_torch():
    """torch takes seconds, and numpy a quarter of one."""
    code = (
        "import sys; from torchvin.cli.main import main; assert main(['list']) == 0; assert main(['list', '--json']) == 0; "
        "print(sorted({'torch', 'numpy', 'scipy', 'jaxtyping'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
    assert "gridworld-16" in done.stdout


def test_the_list_says_of_map_formats_and_kernels_what_their_registries_say():
    assert list(MAP_FORMATS.items()) == [(suffix, form.summary) for suffix, form in FORMATS.items()]
    assert list(KERNELS.items()) == [(name, backend.summary) for name, backend in BACKENDS.items()]


def test_the_layer_needs_torch_numpy_and_jaxtyping_only():
    code = "import sys; from torchvin import ValueIteration, VIN, encode; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not [name for name in HEAVY if name in loaded]


def test_the_core_needs_torch_numpy_scipy_safetensors_and_jaxtyping_only(tmp_path):
    write_npz(tmp_path / "maps.npz", draw_maps("gridworld", 20, 8, 8, seed=3, demonstration_seed=3))
    command = [sys.executable, "-c", WITHOUT + CORE, str(tmp_path / "maps.npz"), str(tmp_path / "weights")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("verb", ["info", "list", "eval"])
def test_the_command_says_what_to_install(verb):
    """tyro and rich are installed with the package, but may be left out (`pip install --no-deps`)."""
    code = WITHOUT + f"from torchvin.cli.main import main; sys.exit(main([{verb!r}]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "torchvin: this needs tyro, which is not installed: pip install tyro.\n"
