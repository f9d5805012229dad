"""WebNav by imitation: on random pages, follow a link that brings one nearer to the page that a sentence is about."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.nn import functional

from torchvin.architectures.webnav import WebNavConfig
from torchvin.architectures.webnav_reactive import WebReactiveConfig
from torchvin.data.corpora.generated import generate_web
from torchvin.data.corpora.queries import MOST_SENTENCES
from torchvin.data.corpora.web import Web, build_web, open_web
from torchvin.errors import InputError
from torchvin.evaluation.web import FARTHEST, draw_episodes, evaluate_web
from torchvin.io.tables import percent
from torchvin.policies.config import ArchitectureConfig
from torchvin.policies.policy import Policy
from torchvin.policies.web.observation import Pages, observe
from torchvin.policies.web.policy import WebPolicy
from torchvin.tasks.task import Task, Validation
from torchvin.training.config import RunConfig

_VALIDATION_WALKS = 256
#: Pages on which the links are learned from, per query: a plan serves them all.
_STARTS = 16


class WebNavTask(Task):
    """Imitation of all shortest ways at once.

    An example is a query about a page of the training split, and 16 pages drawn at 1 to 4 links from it. The loss is
    minus the log of the total probability of the links that bring one nearer, plus, for a policy that scores all
    pages, the cross-entropy of the target among them (`retrieval_weight`). The best epoch is that of the highest
    success of greedy walks to pages of the validation split.

    Args:
        web: with queries of all splits. No test query is looked at.
        config: of the run.
    """

    def __init__(self, web: Web, config: RunConfig) -> None:
        self.web = web
        self.pages = Pages(web)
        self.config = config
        queries = web.queries("train")
        rows = web.distances(queries.target.tolist())
        reachable = ((rows >= 1) & (rows <= FARTHEST)).any(axis=1)
        if not reachable.any():
            raise InputError(f"{web.corpus.source}: no page that a query is about can be reached by links.")
        self.queries = queries[reachable.nonzero()[0]]
        number = config.training.validation_maps or _VALIDATION_WALKS
        self.validation = draw_episodes(web, "validation", number=number, seed=config.seed)

    def __len__(self) -> int:
        return len(self.queries)

    @property
    def on_cpu(self) -> bool:
        return True

    def loss(self, model: nn.Module, chosen: Int[Tensor, "N"], device: torch.device) -> tuple[Tensor, int]:
        queries = self.queries[chosen.numpy()]
        sentences = (1, 2, MOST_SENTENCES, MOST_SENTENCES)[int(torch.randint(4, ()))]
        observation = observe(self.pages, queries.bags(sentences))
        distance = torch.from_numpy(self.web.distances(queries.target.tolist()))
        walker, page = self._starts(distance)
        output = model(observation, walker, page)
        links = output.links
        nearer = distance[links.queries, links.pages] == distance[links.queries, links.sources] - 1
        loss = -links.log_share(links.log_softmax(output.logits), nearer).sum()
        policy = getattr(model, "module", model)  # the wrapper of a distributed training
        weight = getattr(policy.config, "retrieval_weight", 0.0)
        if weight and output.retrieval is not None:
            target = torch.from_numpy(queries.target)
            loss = loss + weight * _STARTS * functional.cross_entropy(output.retrieval, target, reduction="sum")
        return loss, len(page)

    def _starts(self, distance: Tensor) -> tuple[Int[Tensor, "P"], Int[Tensor, "P"]]:
        """For each query 16 pages, each distance from 1 to 4 as likely as the others where it has pages."""
        weight = torch.zeros(distance.shape)
        for steps in range(1, FARTHEST + 1):
            here = distance == steps
            weight += here / here.sum(dim=1, keepdim=True).clamp(min=1)
        page = torch.multinomial(weight, _STARTS, replacement=True)
        return torch.repeat_interleave(torch.arange(len(page)), _STARTS), page.flatten()

    def validate(self, policy: Policy) -> Validation:
        assert isinstance(policy, WebPolicy)
        scores = evaluate_web(policy, self.pages, self.validation, greedy_only=True)
        summary = scores.summary()
        rate = float(scores.success.mean())
        metrics = {"success_rate": rate, "extra_links": float(summary["extra_links"])}  # type: ignore[arg-type]
        kept = {name: value for name, value in summary.items() if not name.startswith(("beam", "teacher"))}
        return Validation(
            metrics=metrics,
            key=(rate, -metrics["extra_links"]),
            summary=kept,
            report=scores,
            sentence=f"{percent(rate)} of {len(scores.success)} walks reach their validation page",
            outcome={"validation_success_rate": rate, "walks": len(scores.success)},
        )

    def identity(self) -> Mapping[str, Any]:
        return {"web_sha256": self.web.corpus.digest, "vectors": self.web.vectors}

    def description(self) -> Mapping[str, Any]:
        corpus = self.web.corpus
        described = {"source": corpus.source, "pages": len(corpus), "links": corpus.num_links}
        return {"name": "webnav", "web": {**described, "vectors": self.web.vectors, "queries": len(self)}}

    def check(self, config: ArchitectureConfig) -> None:
        if not isinstance(config, WebNavConfig | WebReactiveConfig):
            raise InputError("a web needs an architecture that reads pages: webnav or webnav_reactive.")
        if config.vectors != self.web.vectors:
            raise InputError(
                f"the policy reads the word vectors {config.vectors!r}, the web was opened with {self.web.vectors!r}; "
                "set --policy.vectors."
            )


def training_web(config: RunConfig, path: Path | str | None) -> Web:
    """The web in a folder, or 200 made-up pages drawn by the seed of the run.

    Raises: InputError as `open_web`.
    """
    assert isinstance(config.policy, WebNavConfig | WebReactiveConfig)
    vectors = config.policy.vectors
    return build_web(generate_web(seed=config.seed), vectors) if path is None else open_web(path, vectors)
