"""What learning from reward needs on webs: logits of links in rows, and values of the moments of a walk."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from torchvin.policies.web.links import Links
from torchvin.policies.web.observation import Pages, Queried, WebObservation
from torchvin.policies.web.policy import WebPolicy

#: Less than the logit of any link, also of one that leads to a visited page; finite, so that p log p of it is 0.
_NO_LINK = -1.0e18
_VISITED = 1.0e9
_NOWHERE = -2.0


def avoiding(logits: Float[Tensor, "*M"], been: Bool[Tensor, "*M"]) -> Float[Tensor, "*M"]:
    """Logits by which a link to a visited page is followed only where all links lead to one.

    A walk ends on its target, so a visited page is not it.

    Args:
        logits: of links.
        been: whether the page that each leads to was visited.
    """
    return logits.where(~been, logits - _VISITED)


def link_rows(
    policy: WebPolicy, pages: Pages, query: Queried, queries: Int[Tensor, "P"], trail: Int[Tensor, "P L"]
) -> tuple[Float[Tensor, "P A"], Float[Tensor, "P"]]:
    """What a policy says of P places of walks: one row of logits each, and the planner's V of its page.

    Args:
        policy: that is asked.
        pages: of the web.
        query: Q queries.
        queries: which of them each place has.
        trail: pages of the walk, the page of the place first, then the one before; -1 before its beginning.

    Returns: logits of the links in the order of the page, very small behind the last one; V, 0 of a policy without.
    """
    page = trail[:, 0]
    if policy.aims_elsewhere_after_a_visit:
        visited = torch.zeros(len(page), len(pages) + 1, dtype=torch.bool)
        visited = visited.scatter_(1, trail.where(trail >= 0, len(pages)), True)[:, :-1]
        observation, rows = WebObservation(pages, query, visited, queries), torch.arange(len(page))
        place = rows
    else:  # one plan serves all places of a query, and its walkers meet on the same pages
        visited = torch.zeros(len(query), len(pages), dtype=torch.bool)
        observation = WebObservation(pages, query, visited)
        places, place = torch.unique(queries * len(pages) + page, return_inverse=True)
        rows, page = places // len(pages), places % len(pages)
    output = policy(observation, rows, page)
    links: Links = output.links
    logits = links.padded(output.logits, fill=_NO_LINK)[place]
    leads_to = links.padded(links.pages.float(), fill=_NOWHERE)[place]  # exact below 2^24 pages
    been = torch.zeros(logits.shape, dtype=torch.bool)
    for step in range(trail.shape[1]):
        been |= leads_to == trail[:, step : step + 1]
    value = logits.new_zeros(len(page)) if output.value is None else output.value[rows, page]
    return avoiding(logits, been), value[place]


class WebCritic(nn.Module):
    """Value of a moment of a walk = scale * V(page) + a number for the distance and the links left.

    V is the planner's; it gets no gradient from here. How far the target really is, no policy knows. The critic may
    use it (asymmetric actor-critic, Pinto et al. 2017, arXiv:1710.06542), because it is not kept with the weights.

    Args:
        most: links of the longest walk.
    """

    def __init__(self, *, most: int) -> None:
        super().__init__()
        self.most = most
        self.scale = nn.Parameter(torch.zeros(()))
        self.table = nn.Parameter(torch.zeros((most + 2) * (most + 1)))

    def _cell(self, distance: Tensor, left: Tensor) -> Tensor:
        return distance.clamp(max=self.most + 1) * (self.most + 1) + left

    def forward(self, plan_value: Tensor, distance: Int[Tensor, "*B"], left: Int[Tensor, "*B"]) -> Tensor:
        """Values of moments.

        Args:
            plan_value: V of the page of each.
            distance: least number of links to the target.
            left: links that may still be followed.
        """
        return self.scale * plan_value.detach() + self.table[self._cell(distance, left)]

    @torch.no_grad()
    def fit(self, plan_value: Tensor, distance: Tensor, left: Tensor, returns: Tensor) -> None:
        """Set scale and table so that the values are as close to returns as they can be (least squares).

        Args:
            plan_value, distance, left: of moments, as in `forward`.
            returns: what their values should be.
        """
        cell = self._cell(distance, left).flatten()
        count = torch.zeros_like(self.table).index_add(0, cell, torch.ones(len(cell))).clamp(min=1)

        def mean(values: Tensor) -> Tensor:
            return torch.zeros_like(self.table).index_add(0, cell, values.flatten()) / count

        spread = plan_value.flatten() - mean(plan_value)[cell]
        self.scale.copy_((spread @ returns.flatten()) / (spread @ spread).clamp(min=1e-12))
        self.table.copy_(mean(returns) - self.scale * mean(plan_value))
