"""docs/training.md: every key of a recipe with its default, every key of a stage, every choice."""

import re
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from vaqf.files import yamlfile
from vaqf.files.fields import Choice, rules
from vaqf.quant.recipe.recipe import Recipe, Stage

PAGE = (Path(__file__).parents[2] / "docs/training.md").read_text(encoding="utf-8")
RECIPES = PAGE.partition("\n## Recipes\n")[2].partition("\n## ")[0]


def test_the_defaults_are_those_of_a_recipe() -> None:
    told: dict[str, Any] = {}
    table = RECIPES.partition("\n| key | default |")[2]
    for keys, values in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| ([^|]+) \|", table, re.MULTILINE):
        found = yamlfile.parse_mapping(f"values: [{values}]", "the page")["values"]
        names = re.findall(r"`(\w+)`", keys)
        if len(found) == len(names):
            told |= dict(zip(names, found, strict=True))
    own = {one.name: one.default for one in fields(Recipe) if one.default is not MISSING}
    assert told == {name: value for name, value in own.items() if name != "about"}


def test_every_key_of_a_stage_and_every_choice_is_named() -> None:
    words = set(re.findall(r"\w+", RECIPES))
    assert {one.name for one in fields(Stage)} - words == set()
    for kind in (Recipe, Stage):
        for name, rule in rules(kind).items():
            if isinstance(rule, Choice):
                assert set(rule.words) - words == set(), name
