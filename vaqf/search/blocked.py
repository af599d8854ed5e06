"""What stops a search: the nearest of the faster designs that are not legal."""

import math
from collections.abc import Iterator

from vaqf.search.plan import Plan
from vaqf.search.space import Weighed


class Blocked:
    """Faster designs that are not legal: what the nearest one lacks is what stops the search.

    The smallest designs of plans are weighed when they may be nearer than those weighed before.
    """

    def __init__(self) -> None:
        self._shares: list[tuple[float, str]] = []
        self._plans: list[tuple[float, int, Plan]] = []  # with a lower bound, in order

    def add(self, share: float, resource: str) -> None:
        """A design's largest share of the budget."""
        self._shares.append((share, resource))

    def add_plan(self, least: float, plan: Plan) -> None:
        """A plan whose smallest design has at least such a share."""
        self._plans.append((least, len(self._plans), plan))

    def _weighed(self, share: float) -> Iterator[tuple[int, Weighed]]:
        """In any order, the plans that may be as near as a share, and as those before them."""
        for least, order, plan in sorted(self._plans, key=lambda entry: entry[:2]):
            if least > share:
                return
            share = min(share, plan.smallest.share)
            yield order, plan.smallest

    def nearest_plan(self) -> Weighed | None:
        """The smallest design of the first of the nearest plans."""
        found = min(
            self._weighed(math.inf), key=lambda entry: (entry[1].share, entry[0]), default=None
        )
        return found and found[1]

    def resource(self) -> str | None:
        """What the nearest design has too little of."""
        nearest = min(self._shares, default=(math.inf, ""))
        plans_shares = [(w.share, w.resource) for _, w in self._weighed(nearest[0])]
        _, resource = min([nearest, *plans_shares])
        return resource or None
