"""What a device has and a design takes: LUT, LUTRAM, FF, DSP, BRAM36 and UltraRAM."""

import math
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Resources:
    """So much of each. LUTs that are memory, LUTRAM, are part of `lut`; half a BRAM36 is a BRAM18.

    By name, too, as files have them: resources["lut"].
    """

    lut: float = 0
    lutram: float = 0
    ff: float = 0
    dsp: float = 0
    bram36: float = 0
    uram: float = 0

    def __getitem__(self, resource: str) -> float:
        amount: float = getattr(self, resource)
        return amount

    def __add__(self, other: "Resources") -> "Resources":
        return Resources(
            self.lut + other.lut,
            self.lutram + other.lutram,
            self.ff + other.ff,
            self.dsp + other.dsp,
            self.bram36 + other.bram36,
            self.uram + other.uram,
        )

    def worst_share(self, budget: "Resources") -> tuple[float, str]:
        """The highest share of a budget, infinite where it has none, and of which resource."""
        return max(
            (used / has if has else (math.inf if used else 0.0), resource)
            for resource, used, has in self._beside(budget)
        )

    def largest_share(self, available: "Resources") -> float:
        """The highest share of what a device has, of the resources that it has."""
        return max(used / has for _, used, has in self._beside(available) if has)

    def fits(self, budget: "Resources") -> bool:
        """Whether no share is more than 1."""
        return self.worst_share(budget)[0] <= 1

    def _beside(self, other: "Resources") -> list[tuple[str, float, float]]:
        return [
            ("lut", self.lut, other.lut),
            ("lutram", self.lutram, other.lutram),
            ("ff", self.ff, other.ff),
            ("dsp", self.dsp, other.dsp),
            ("bram36", self.bram36, other.bram36),
            ("uram", self.uram, other.uram),
        ]


RESOURCES = tuple(field.name for field in fields(Resources))
