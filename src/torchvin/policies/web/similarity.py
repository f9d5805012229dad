"""The learned similarity of queries and texts: what a page is worth to a query, before any planning."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from torchvin.data.corpora.features import NUM_BUCKETS
from torchvin.policies.web.observation import Queried, TextIndex

#: How strong the cosine of word vectors is beside the share of common words, before anything is learned.
_START = 0.1
#: A learning rate for words is too large for the bilinear form, which every query changes.
_SLOWER = 0.05


class TextSimilarity(nn.Module):
    """BM25 with learned weights of words, plus a learned bilinear form of averaged word vectors.

    sim(q, n) = sum over buckets w of exp(theta_w) * q_w * n_w + v(q)^T M v(n); q_w and n_w as `TextFeatures.terms`.
    The first part is a projection of hashed words by a learned matrix, a diagonal one. With fresh weights theta is 0
    and M about a tenth of the identity: the share of the query that a page has, corrected by the word vectors.

    Args:
        vector_size: D of the word vectors; 0 without them.
    """

    def __init__(self, vector_size: int) -> None:
        super().__init__()
        self.word_weight = nn.Parameter(0.01 * torch.randn(NUM_BUCKETS))
        self.bilinear = nn.Parameter(0.01 * torch.randn(vector_size, vector_size))
        self.register_buffer("start", _START * torch.eye(vector_size), persistent=False)
        self.start: Tensor

    def forward(self, texts: TextIndex, query: Queried) -> Float[Tensor, "Q T"]:
        """Similarity of every query and every text."""
        where, bucket, product = texts.matches(query)
        weighted = self.word_weight.exp().index_select(0, bucket) * product
        cosine = weighted.new_zeros(len(query) * len(texts)).index_add(0, where, weighted).view(len(query), len(texts))
        if not self.bilinear.numel():
            return cosine
        return cosine + query.vectors @ (self.start + _SLOWER * self.bilinear) @ texts.vectors.T

    def shares(self, texts: TextIndex, query: Queried, text: int) -> dict[int, float]:
        """For one query, what each bucket contributes to the similarity with a text: bucket -> share."""
        where, bucket, product = texts.matches(query)
        mine = where == text
        weighted = (self.word_weight.exp()[bucket] * product)[mine]
        return dict(zip(bucket[mine].tolist(), weighted.tolist(), strict=True))


class PositiveScale(nn.Module):
    """A positive number that is learned in its logarithm, ten times as fast as other weights.

    Args:
        start: before anything is learned.
    """

    def __init__(self, start: float) -> None:
        super().__init__()
        self.tenth = nn.Parameter(torch.tensor(start).log() / 10)

    def forward(self) -> Float[Tensor, ""]:
        """The number."""
        return (10 * self.tenth).exp()


def gather(of_pages: Float[Tensor, "Q N"], queries: Int[Tensor, "M"], pages: Int[Tensor, "M"]) -> Float[Tensor, "M"]:
    """One number of each walker and page."""
    return of_pages.flatten().index_select(0, queries * of_pages.shape[1] + pages)
