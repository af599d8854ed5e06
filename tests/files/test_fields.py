"""What is a number, a name or a known word, wherever a user writes one."""

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from vaqf.errors import InputError
from vaqf.files import fields, yamlfile
from vaqf.hardware import board
from vaqf.hardware.design import Capacity, Design, from_json
from vaqf.model import zoo
from vaqf.model.vit import Vit
from vaqf.quant.recipe import recipe
from vaqf.quant.recipe.recipe import Recipe, Stage
from vaqf.verbs import arguments

CAPACITY = {
    "tokens": 17, "dim": 64, "hidden": 256, "attention": 64, "head": 16, "pixels": 4,
    "outputs": 256, "partial_outputs": 64,
}  # fmt: skip
DESIGN = {
    "engine": "table", "act_bits": 8, "tokens": 4, "pe": 4, "simd": 32, "attention_rows": 3,
    "attention_lanes": 8, "norm_tokens": 2, "frames_in_flight": 2, "share": 1, "dsp_sums": 5,
    "weight_ports": 1, "ring_words": 64, "resident": False, "capacity": CAPACITY,
}  # fmt: skip
NO_NUMBERS = (
    "\uff11\uff10",
    "\u0661\u0660",
    "1_000",
    " 1",
    "1 ",
    "1\n",
    "1\x1b[0m",
    "0x10",
    "",
    "-",
    "1e",
    "one",
    "½",
)


@pytest.mark.parametrize("text", [*NO_NUMBERS, "1.5", "1e3", "nan"])
def test_no_whole_number(text: str) -> None:
    assert fields.whole(text) is None


@pytest.mark.parametrize("text", [*NO_NUMBERS, "nan", "inf", "-inf", "infinity", ".", "1.5.2"])
def test_no_number(text: str) -> None:
    assert fields.number(text) is None


def test_numbers() -> None:
    assert [fields.whole(t) for t in ("0", "-3", "+7", "007")] == [0, -3, 7, 7]
    found = [fields.number(t) for t in ("0", "-3.5", ".5", "5.", "1e3", "2.5E-1", "1e999")]
    assert found == [0, -3.5, 0.5, 5, 1000, 0.25, float("inf")]


@pytest.mark.parametrize(
    "text", ["1_000", "010", "0x10", "0b11", "1:30", "1_0.5", "1:30.5", "\uff11\uff10"]
)
def test_yaml_has_the_numbers_that_people_write(text: str) -> None:
    assert yamlfile.parse_mapping(f"a: {text}", "x") == {"a": text}


def test_yaml_numbers() -> None:
    text = "[0, -12, +3, 1.5, .5, 2., 1e-3, 1.5E+3, .inf, 007.5]"
    wanted = [0, -12, 3, 1.5, 0.5, 2.0, 1e-3, 1500.0, float("inf"), 7.5]
    found = yamlfile.parse_mapping(f"a: {text}", "x")["a"]
    assert found == wanted
    assert [type(value) for value in found] == [type(value) for value in wanted]


@pytest.mark.parametrize(
    "name", ["deit_tiny\n", " deit_tiny", "deit_tiny\t", "deit_tiny\u200b", "a\x00"]
)
def test_a_name_is_written_as_it_is_known(name: str) -> None:
    for load, known in ((zoo.load, "deit_tiny"), (board.load, "zcu102"), (recipe.load, "best")):
        assert load(known).name == known
        with pytest.raises(InputError, match="unknown"):
            load(name.replace("deit_tiny", known))


def test_a_letter_that_becomes_one_of_ours_is_another_letter() -> None:
    kelvin = "\N{KELVIN SIGN}v260"
    assert kelvin.lower() == "kv260"
    with pytest.raises(InputError, match="unknown board"):
        board.load(kelvin)
    assert board.load("KV260").name == "kv260"


@pytest.mark.parametrize(
    "value", ["1_000", "010", "\uff11\uff10\uff10", '"100"', "'1\\n'", "0x40", "true", "1:30"]
)
def test_a_value_that_is_no_number_is_refused_in_every_file(tmp_path: Path, value: str) -> None:
    device = (Path(board.__file__).parents[2] / "boards" / "zcu102.yaml").read_text()
    lines = [f"dsp: {value}" if line.startswith("dsp:") else line for line in device.splitlines()]
    stages = "stages: [{name: a, weights: sign, activations: quantized}]"
    for load, text in (
        (zoo.load, f"dim: {value}"),
        (board.load, "\n".join(lines)),
        (recipe.load, f"epochs: {value}\n{stages}"),
    ):
        (tmp_path / "x.yaml").write_text(text)
        with pytest.raises(InputError, match="must be a whole number"):
            load(str(tmp_path / "x.yaml"))
    with pytest.raises(InputError, match="must be a whole number"):
        recipe.changed(recipe.load("best"), {"epochs": value})


@pytest.mark.parametrize("name", ["a\\n", "a\\t", "a\\x1b[2J", "\uff41", "a b", ""])
def test_a_value_that_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "x.yaml").write_text(f'name: "{name}"')
    with pytest.raises(InputError, match="must be 1 to 64 letters"):
        zoo.load(str(tmp_path / "x.yaml"))


@pytest.mark.parametrize("value", ['"\uff11\uff16"', '"16"', "16.0", "1e1", "true", "null", "[16]"])
def test_a_design_takes_whole_numbers(tmp_path: Path, value: str) -> None:
    path = tmp_path / "design.json"
    design = {**DESIGN, "tokens": "VALUE"}
    path.write_text(json.dumps(design).replace('"VALUE"', value))
    with pytest.raises(InputError, match=r"design: tokens is .* must be a whole number"):
        arguments.load_design(path)


def test_a_design_says_each_thing_once(tmp_path: Path) -> None:
    path = tmp_path / "design.json"
    path.write_text(json.dumps(DESIGN))
    assert arguments.load_design(path).to_json() == DESIGN
    path.write_text(json.dumps(DESIGN)[:-1] + ', "tokens": 1}')
    with pytest.raises(InputError, match="has the key 'tokens' twice"):
        arguments.load_design(path)


def records() -> Iterator[tuple[object, str]]:
    """A record of every kind that a user can write, and each of its fields that has a rule."""
    stage = recipe.load("one_shot").stages[0]
    kinds = (zoo.load("deit_tiny"), board.load("zcu102"), recipe.load("best"), stage)
    for record in (*kinds, from_json(DESIGN)):
        for name in fields.rules(type(record)):
            yield record, name


def beyond(rule: fields.Rule, record: object) -> list[object]:
    """Values that a rule refuses."""
    match rule:
        case fields.Whole(low, high) | fields.Number(low, high):
            top = getattr(record, high) if isinstance(high, str) else high
            values = [low - 1, top + 1, True, None, str(low), float("nan"), float("inf"), [low]]
            return values + ([low + 0.5] if isinstance(rule, fields.Whole) else [])
        case fields.Auto(inner):
            return [*beyond(inner, record), "Auto", "auto ", ["auto"]]
        case fields.Choice(words):
            return [f"{words[0]}\n", words[0].upper(), "", None, 1, list(words)]
        case _:
            return [0, 1, None, "true", []]


@pytest.mark.parametrize(("record", "name"), list(records()), ids=lambda part: str(part)[:24])
def test_a_value_beyond_a_fields_rule_is_refused(record: object, name: str) -> None:
    rule = fields.rules(type(record))[name]
    for value in beyond(rule, record):
        with pytest.raises(InputError) as caught:
            replace(record, **{name: value})
        allowed = f"{name} is {fields.shown(value)}"
        assert allowed in str(caught.value)
        assert f"; it must be {rule.allowed(vars(record))}" in str(caught.value)


def test_every_number_and_word_of_a_record_has_a_rule() -> None:
    """Names and texts have checks of their own; so do values for each channel and the parts."""
    texts = {"name", "class_names", "about", "part", "source"}
    free = texts | {"stages", "mean", "std", "usable", "capacity"}
    for kind in (Vit, board.Board, Recipe, Stage, Design, Capacity):
        assert {one.name for one in dataclasses.fields(kind)} - set(fields.rules(kind)) <= free
