"""The rules of a design and its file."""

from dataclasses import fields, replace
from typing import Any

import pytest

from vaqf.arithmetic import widths
from vaqf.arithmetic.widths import round_up
from vaqf.errors import InputError
from vaqf.hardware import matmuls
from vaqf.hardware.command import decode, encode
from vaqf.hardware.design import Capacity, Design, accumulator_bits, from_json, most_capacity
from vaqf.hardware.layout import patch_row_bytes
from vaqf.hardware.matmuls import capacity_for, check_fits
from vaqf.model import vit, zoo

BASE = zoo.load("deit_base")


def paper_size() -> Design:
    """8 x 4 x 768 for deit_base at 8 bits."""
    return Design(
        engine="table",
        act_bits=8,
        tokens=8,
        pe=4,
        simd=768,
        attention_rows=12,
        attention_lanes=64,
        norm_tokens=4,
        frames_in_flight=2,
        share=8,
        weight_ports=4,
        ring_words=matmuls.streamed_ring_words(BASE, 8, 4, 768, 64),
        resident=False,
        capacity=capacity_for(BASE, 8, 4, 768, 64),
    )


def test_json_round_trip() -> None:
    design = paper_size()
    assert from_json(design.to_json()) == design
    check_fits(design, BASE)


def test_sizes_of_deit_base() -> None:
    design = paper_size()
    assert design.macs_per_cycle == 24_576
    assert design.banks == 16
    assert design.ring_words == 250 * 8  # the head's 8 planes, whole
    assert matmuls.total_weight_words(BASE, 8, 4, 768, 64) == 192 * 8 + 12 * 12 * 192 + 250 * 8
    assert matmuls.most_sharing(BASE, 8, (8, 4, 768), 64) == 8
    assert matmuls.most_sharing(BASE, 8, (10, 12, 192), 64) == 2
    assert matmuls.most_sharing(zoo.load("deit_tiny"), 8, (10, 12, 192), 64) == 1


def test_two_encoder_matrices_fit_where_they_are_largest() -> None:
    ten = replace(BASE, classes=10)
    assert matmuls.streamed_ring_words(ten, 8, 4, 768, 64) == max(2 * 768, 192 * 8)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("engine", "dsp"),
        ("act_bits", 9),
        ("act_bits", True),
        ("tokens", 0),
        ("tokens", 10**6),
        ("pe", 5),
        ("simd", 100),
        ("simd", 2.0),
        ("attention_lanes", 63),
        ("norm_tokens", 3),
        ("frames_in_flight", 3),
        ("share", 3),
        ("dsp_sums", -1),
        ("dsp_sums", 33),
        ("dsp_sums", 1.0),
        ("weight_ports", 0),
        ("weight_ports", 5),
        ("ring_words", -1),
        ("ring_words", 10**9),
        ("resident", 1),
        ("capacity", None),
        ("capacity", {}),
    ],
)
def test_bad_values_are_named(field: str, value: object) -> None:
    with pytest.raises(InputError, match=field):
        from_json({**paper_size().to_json(), field: value})


@pytest.mark.parametrize("pe", [1, 6, 16, 256])
def test_commands_hold_the_sizes_of_the_largest_design(pe: int) -> None:
    """Every field that counts tokens, channels or their words, of any command it can run."""
    most = most_capacity(pe)
    simd = 4096
    joined = widths.MAX_HEAD_TOKENS * round_up(most.dim, simd)
    inputs = max(most.dim, most.hidden, most.attention, most.pixels, joined)
    largest = {
        "tokens": most.tokens,
        "k_words": inputs // pe,
        "n_words": max(most.outputs, 3 * most.attention) // pe,
        "outputs": max(most.hidden, most.dim, 3 * most.attention, vit.MAX_CLASSES),
        "head_words": most.head // pe,
        "dim": most.dim,
        "pixel_bytes": patch_row_bytes(most.pixels),
        "pre_shift": widths.pre_shift(accumulator_bits(widths.MAX_ACT_BITS, most)),
        "prefix_tokens": widths.MAX_HEAD_TOKENS,
        "heads": vit.MAX_HEADS,
        "planes": widths.FIXED_WEIGHT_BITS,
        "digits": widths.pixel_digits(widths.MIN_ACT_BITS),
        "shift": widths.MAX_SHIFT,
        "score_mult": 2**widths.SCORE_MULT_BITS - 1,
    }
    assert decode(encode(largest)).items() >= largest.items()


@pytest.mark.parametrize("field", [field.name for field in fields(Capacity)])
def test_a_capacity_beyond_what_can_be_counted(field: str) -> None:
    design = paper_size()
    most = getattr(most_capacity(design.pe), field)
    assert getattr(replace(design.capacity, **{field: most}), field) == most
    replace(design, capacity=replace(design.capacity, **{field: most}))
    with pytest.raises(InputError, match=rf"capacity\.{field} is {most + 1}; .* at most {most}"):
        replace(design, capacity=replace(design.capacity, **{field: most + 1}))


def test_a_file_of_before_has_no_sums_on_dsps() -> None:
    content = replace(paper_size(), dsp_sums=32).to_json()
    assert from_json(content).dsp_sums == 32
    del content["dsp_sums"]
    assert from_json(content) == paper_size()


def test_missing_and_unknown_keys() -> None:
    content = paper_size().to_json()
    with pytest.raises(InputError, match="lacks simd"):
        from_json({k: v for k, v in content.items() if k != "simd"})
    with pytest.raises(InputError, match="did you mean simd"):
        from_json({**content, "simdd": 1})
    with pytest.raises(InputError, match="mapping"):
        from_json([])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"ring_words": 1999}, "ring_words"),
        ({"resident": True}, "ring_words"),
        ({"tokens": 16, "share": 16}, "share"),
        ({"capacity": replace(paper_size().capacity, hidden=3068)}, "capacity.hidden"),
    ],
)
def test_a_design_too_small_for_the_model(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        check_fits(replace(paper_size(), **changes), BASE)


def test_the_adder_engine_has_no_generators_to_share() -> None:
    with pytest.raises(InputError, match="share"):
        replace(paper_size(), engine="adder")
    assert replace(paper_size(), engine="adder", share=1).share == 1


def test_the_adder_engine_has_no_sums_on_dsps() -> None:
    with pytest.raises(InputError, match="dsp_sums is 1; it must be 0 for the adder engine"):
        replace(paper_size(), engine="adder", share=1, dsp_sums=1)
