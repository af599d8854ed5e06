"""How fast a device's fabric is, by the name of the device: delays are known for three of them."""

import re
from dataclasses import dataclass

from vaqf.hardware.family import SERIES_7, ULTRASCALE_PLUS, Family


@dataclass(frozen=True)
class Speed:
    """A fabric whose delays are published, and by how much a device's are longer."""

    fabric: str  # of FABRICS
    times: float = 1.0


ULTRASCALE_PLUS_2, SERIES_7_1, KINTEX_7_2 = "ultrascale_plus -2", "series_7 -1", "kintex_7 -2"
FABRICS = {ULTRASCALE_PLUS_2: ULTRASCALE_PLUS, SERIES_7_1: SERIES_7, KINTEX_7_2: SERIES_7}
GRADE = 1.23  # -1 against -2 of UltraScale+: the same arcs in reports of both grades
LOW_VOLTAGE = (
    1.26  # -2LV, at 0.72 V, against -2: block RAM's highest clock in DS925, 738 and 585 MHz
)
_KINTEX = re.compile(r"xc7(k|v|z030|z035|z045|z100)", re.IGNORECASE)
_GRADE = re.compile(r"-([123])(LV|LI|L)?(?:-[a-z]+)?$", re.IGNORECASE)


def of(family: Family, part: str) -> Speed:
    """Of a device, by its name: the fabric of series 7, the speed grade.

    What nobody quotes is taken as the next slower thing: a grade that the name does not have as -1,
    -3 as -2, -1LV as both -1 and LV are, every grade of Artix-7's fabric and those of series 7 at
    low voltage as -1.
    """
    found = _GRADE.search(part)
    fast = found is not None and int(found[1]) >= 2
    voltage = (found[2] or "").upper() if found else ""
    if family is ULTRASCALE_PLUS:
        times = (1.0 if fast else GRADE) * (LOW_VOLTAGE if voltage == "LV" else 1.0)
        return Speed(ULTRASCALE_PLUS_2, times)
    return Speed(KINTEX_7_2 if fast and not voltage and _KINTEX.match(part) else SERIES_7_1)
