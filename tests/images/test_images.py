"""Some of many images: one of each of so many equal parts, always the same."""

import numpy as np
import pytest

from vaqf.images.images import evenly


@pytest.mark.parametrize("available", [1, 2, 7, 60, 1000])
def test_one_of_each_part(available: int) -> None:
    for wanted in range(1, available + 1):
        taken = evenly(available, wanted)
        assert all(
            i * available // wanted <= one < (i + 1) * available // wanted
            for i, one in enumerate(taken)
        )
    assert evenly(available, available) == list(range(available))
    assert evenly(available, 0) == []


def test_the_same_in_every_version() -> None:
    assert evenly(60, 6) == [8, 17, 24, 32, 45, 54]


@pytest.mark.parametrize("period", range(2, 11))
def test_no_step_of_theirs_is_the_period_of_the_classes(period: int) -> None:
    labels = np.array(evenly(100 * period, 100)) % period
    assert set(labels.tolist()) == set(range(period))
