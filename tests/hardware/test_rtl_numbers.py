"""The reader of the RTL's packages."""

import pytest

from vaqf.hardware.rtl_numbers import number


def test_numbers_are_those_of_the_package() -> None:
    assert number("sizes", "READ_BEATS") == 512
    assert number("sizes", "CHUNK_BYTES") == 4096
    # a sum of names and numbers, in two steps
    assert number("latency", "WEIGH") == number("latency", "MEMORY") + 1 + 5


def test_a_name_that_is_none_is_no_number() -> None:
    with pytest.raises(KeyError):
        number("sizes", "NOTHING")
