"""Numbers in sentences."""

from vaqf.cli import words


def test_count_has_a_plural() -> None:
    assert words.count(1, "image") == "1 image"
    assert words.count(0, "mismatch") == "0 mismatches"
    assert words.count(2000, "class") == "2,000 classes"


def test_shares() -> None:
    assert words.percent(0.9861) == "98.6 %"
    assert words.share(355, 360) == "355 of 360 (98.6 %)"
