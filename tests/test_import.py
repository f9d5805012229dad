"""`import torchvin` is light, and every public name is there."""

import subprocess
import sys

import torchvin

HEAVY = ("scipy", "accelerate", "matplotlib", "rich", "tyro", "safetensors", "huggingface_hub", "PIL", "yaml")


def test_every_public_name_is_there():
    for name in torchvin.__all__:
        assert getattr(torchvin, name) is not None


def test_the_layer_needs_torch_numpy_and_jaxtyping_only():
    code = "import sys; from torchvin import ValueIteration, VIN, encode; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not [name for name in HEAVY if name in loaded]
