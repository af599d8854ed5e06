"""What stops a search: the nearest of the faster designs that are not legal."""

import math
from collections.abc import Iterator

from vaqf.search.plan import Plan


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

    def _near(self, share: float) -> Iterator[tuple[int, Plan]]:
        """The plans that may be as near as a share, and as those before them; with their order."""
        for least, order, plan in sorted(self._plans, key=lambda entry: entry[:2]):
            if least > share:
                return
            share = min(share, plan.smallest.share)
            yield order, plan

    def nearest_plan(self) -> Plan | None:
        """The first of those whose smallest design is nearest."""
        near = self._near(math.inf)
        _, plan = min(
            near, key=lambda entry: (entry[1].smallest.share, entry[0]), default=(0, None)
        )
        return plan

    def resource(self) -> str | None:
        """What the nearest design has too little of."""
        nearest = min(self._shares, default=(math.inf, ""))
        near = (plan.smallest for _, plan in self._near(nearest[0]))
        _, resource = min([nearest, *((least.share, least.resource) for least in near)])
        return resource or None
