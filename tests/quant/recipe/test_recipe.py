"""recipe.py: our recipes, and everything that a user's recipe can get wrong."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from vaqf.errors import InputError
from vaqf.quant.recipe import recipe
from vaqf.quant.recipe.recipe import Recipe, Stage

FLOAT = Stage("float")
LAST = Stage("last", weights="sign", activations="quantized")
ONE = "stages: [{name: a, weights: sign, activations: quantized}]"


def test_the_three_recipes_are_the_published_ideas() -> None:
    assert recipe.names() == ["best", "one_shot", "vaqf_paper"]
    best, one_shot, paper = map(recipe.load, recipe.names())
    assert (best.centred, best.scale, best.act_scales) == (True, "learned", "learned")
    assert [stage.name for stage in best.stages] == ["float", "binary"]
    student = best.stages[1]
    assert (student.loss, student.weights, student.activations) == ("teacher", "blend", "quantized")
    assert student.bits_ramp > 0 and student.average > 0
    # VAQF: float; masks that grow while activations are real; then activations of A bits
    assert [(s.weights, s.activations) for s in paper.stages] == [
        ("real", "real"),
        ("mask", "real"),
        ("sign", "quantized"),
    ]
    assert [(s.weights, s.activations) for s in one_shot.stages] == [("sign", "quantized")]
    for plain in (one_shot, paper):
        assert (plain.centred, plain.scale, plain.act_scales) == (False, "tensor", "observed")
        assert {stage.loss for stage in plain.stages} == {"labels"}
    assert [r.has_teacher for r in (best, one_shot, paper)] == [True, False, True]


def test_recipes_differ_in_their_stages_and_the_style_of_weights_only() -> None:
    """So that a comparison of recipes compares ideas, not budgets."""
    own = {"name", "about", "stages", "centred", "scale", "act_scales"}
    first, *others = (recipe.load(name).plain() for name in recipe.names())
    for other in others:
        assert {k for k in first if first[k] != other[k]} <= own


@pytest.mark.parametrize("name", ["best", "one_shot", "vaqf_paper"])
def test_the_epochs_of_the_stages_add_up(name: str) -> None:
    found = recipe.load(name)
    count = len(found.stages)
    total = sum(stage.share for stage in found.stages)
    for epochs in (*range(1, 40), 80, 299, 300, 100_000):
        parts = replace(found, epochs=epochs).stage_epochs()
        assert len(parts) == count and min(parts) >= 1
        assert sum(parts) == max(epochs, count)
        for part, stage in zip(parts, found.stages, strict=True):
            assert abs(part - max(epochs, count) * stage.share / total) <= 1


def test_a_tiny_share_still_gets_an_epoch() -> None:
    stages = (FLOAT, Stage("mask", share=0.001, weights="mask", ramp=1.0), replace(LAST, share=9))
    assert Recipe("r", stages, epochs=10).stage_epochs() == (1, 1, 8)
    stages = (replace(FLOAT, share=1000), Stage("mask", weights="mask", ramp=1.0), LAST)
    assert Recipe("r", stages, epochs=5).stage_epochs() == (3, 1, 1)


def test_a_recipe_survives_its_own_file(tmp_path: Path) -> None:
    import yaml

    for name in recipe.names():
        found = recipe.load(name)
        file = tmp_path / "copy.yaml"
        file.write_text(yaml.safe_dump(found.plain()))
        assert recipe.load(str(file)) == found


def test_names_are_known_in_any_case_and_a_file_names_itself(tmp_path: Path) -> None:
    assert recipe.load("BEST") == recipe.load("best")
    file = tmp_path / "mine.yml"
    file.write_text(ONE)
    assert recipe.load(str(file)).name == "mine"
    file.write_text(f"name: other\n{ONE}")
    assert recipe.load(str(file)).name == "other"


@pytest.mark.parametrize(
    ("word", "message"),
    [
        (
            "bset",
            "unknown recipe 'bset' (did you mean best?); known are best, one_shot, vaqf_paper",
        ),
        ("vaqf-paper", "did you mean vaqf_paper?"),
        ("", "unknown recipe ''"),
        ("recipe.txt", "or give a YAML file"),
        ("\x00", "unknown recipe"),
        ("missing.yaml", f"missing.yaml: cannot be read: {os.strerror(errno.ENOENT)}"),
        ("x" * 5000 + ".yaml", "cannot be read"),
        ("nul\x00.yaml", "cannot be read"),
    ],
)
def test_unknown_recipes(word: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        recipe.load(word)
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no mapping"),
        ("[1, 2]", "is no mapping"),
        ("lr: 1", "stages is no list of mappings"),
        ("stages: {a: 1}", "stages is no list of mappings"),
        ("stages: [3]", "stages is no list of mappings"),
        ("stages: [null]", "stages is no list of mappings"),
        ("stages: []", "has 0 stages; it must have 1 to 8"),
        ("stages: [{weights: sign}]", "a stage has no name"),
        ("stages: [{name: [1]}]", "the name of a stage is [1]"),
        ("stages: [{name: 'a b'}]", "the name of a stage is 'a b'"),
        ("stages: [{name: a, 1: x}]", "unknown key 1"),
        ("stages: [{name: a, on: x}]", "unknown key True"),
        ("stages: [{name: a, ? [b] : 1}]", "not valid YAML"),
        ("stages: [{name: a, weight: sign}]", "unknown key 'weight' (did you mean weights?)"),
        (
            "stages: [{name: a, weights: sigh}]",
            "(did you mean sign?); it must be one of real, sign",
        ),
        ("stages: [{name: a, weights: [sign]}]", "weights is ['sign']"),
        ("stages: [{name: a, share: .inf}]", "share is inf"),
        ("stages: [{name: a, share: true}]", "share is True"),
        ("stages: [{name: a, average: 1.0}]", "average is 1.0; it must be a number, 0 to 0.999999"),
        (f"lr: fast\n{ONE}", "lr is 'fast'; it must be a number"),
        (f"lr: -1\n{ONE}", "lr is -1"),
        (f"lr: {'9' * 400}\n{ONE}", "lr is 9999"),
        (f"lr: 2000-01-01\n{ONE}", "lr is datetime.date"),
        (f"lr: 2000-99-99\n{ONE}", "holds a value that cannot be read"),
        (f"learning_rate: 1\n{ONE}", "unknown key 'learning_rate'"),
        (f"Lr: 1\n{ONE}", "unknown key 'Lr' (did you mean lr?)"),
        (f"lr: 1\nlr: 2\n{ONE}", "'lr' twice"),
        (f"epochs: 1.5\n{ONE}", "epochs is 1.5; it must be a whole number"),
        (f"epochs: 0\n{ONE}", "epochs is 0; it must be a whole number, 1 to 100000"),
        (f"batch: true\n{ONE}", "batch is True"),
        (f"accumulate: 0\n{ONE}", "accumulate is 0"),
        (f"processes: '2'\n{ONE}", "processes is '2'"),
        (f"smoothing: 1\n{ONE}", "smoothing is 1"),
        (f"mixup: 50\n{ONE}", "mixup is 50; it must be a number, 0 to 10"),
        (f"cutmix: 11\n{ONE}", "cutmix is 11; it must be a number, 0 to 10"),
        (f"augment: cutout\n{ONE}", "augment is 'cutout' (did you mean auto?); it must be"),
        (f"amp: fp16\n{ONE}", "amp is 'fp16'"),
        (f"scale: column\n{ONE}", "scale is 'column'; it must be one of tensor, row, learned"),
        (f"act_scales: fixed\n{ONE}", "act_scales is 'fixed'; it must be one of learned, obs"),
        (f"learned_scale: true\n{ONE}", "unknown key 'learned_scale'"),
        (f"compile: 1\n{ONE}", "compile is 1; it must be true or false"),
        (f"about: 3\n{ONE}", "about is 3; it must be a text"),
        (f"name: '../x'\n{ONE}", "name is '../x'"),
        (f"a: &x 1\n{ONE}", "anchors or aliases"),
        (f"lr: !!python/name:os.system ''\n{ONE}", "YAML tag"),
        (f"lr: {'[' * 50}{']' * 50}\n{ONE}", "nested deeper than 8"),
        ("\x00", "not valid YAML"),
        ("stages: [" + "{name: a, weights: sign, activations: quantized}, " * 9 + "]", "9 stages"),
    ],
)
def test_hostile_files(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        recipe.load(str(file))
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a: " + b"x" * 70_000, None])
def test_files_that_are_no_text(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    with pytest.raises(InputError, match=r"r\.yaml"):
        recipe.load(str(file))


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ((LAST, FLOAT), "a stage with real weights can only be the first one"),
        ((FLOAT, replace(FLOAT, name="more"), LAST), "can only be the first one"),
        ((FLOAT,), "its last stage leaves activations real"),
        ((FLOAT, Stage("b", weights="mask", ramp=1.0)), "its last stage leaves activations real"),
        ((LAST, LAST), "two stages have one name"),
        ((replace(LAST, loss="teacher"),), "needs a first stage with real weights, the teacher"),
        ((replace(FLOAT, loss="teacher"), LAST), "it learns from labels"),
    ],
)
def test_the_order_of_stages(stages: tuple[Stage, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Recipe("r", stages)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"activations": "quantized"}, "real weights go with real activations"),
        ({"weights": "mask"}, "mask and blend need a ramp above 0"),
        ({"weights": "sign", "ramp": 0.5}, "ramp is 0.5 and weights are sign"),
        ({"ramp": 0.5}, "weights are real"),
        ({"weights": "sign", "bits_ramp": 0.5}, "need quantized activations"),
        ({"weights": "sign", "integer_share": 0.5}, "need quantized activations"),
        ({"weights": "sign", "label_share": 0.5}, "label_share goes with loss teacher"),
    ],
)
def test_stages_that_contradict_themselves(keys: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Stage("s", **keys)


def test_settings_are_read_as_the_file_would_be() -> None:
    best = recipe.load("best")
    words = {"lr": "1e-3", "batch": "32", "centred": "false", "amp": "bf16", "augment": "none"}
    changed = recipe.changed(best, words)
    expected = {"lr": 0.001, "batch": 32, "centred": False, "amp": "bf16", "augment": "none"}
    assert changed == replace(best, **expected)
    assert recipe.changed(best, {}) == best
    assert recipe.changed(changed, {"amp": "none"}).amp == "none"


@pytest.mark.parametrize("text", ["1e-3", "1E-3", "1.e-3", "+1e-3", "1.0e-3", "0.001", "10e-4"])
def test_small_numbers_can_be_written_as_everybody_does(text: str, tmp_path: Path) -> None:
    assert recipe.changed(recipe.load("best"), {"lr": text}).lr == 0.001
    file = tmp_path / "r.yaml"
    file.write_text(f"lr: {text}\n{ONE}")
    assert recipe.load(str(file)).lr == 0.001


@pytest.mark.parametrize(
    ("key", "word", "message"),
    [
        ("learning_rate", "1", "--set has the unknown key 'learning_rate'"),
        ("epoch", "1", "(did you mean epochs?)"),
        ("stages", "[]", "unknown key 'stages'"),
        ("name", "x", "unknown key 'name'"),
        ("lr", "fast", "lr is 'fast'"),
        ("lr", ".nan", "lr is nan"),
        ("lr", "9" * 400, "lr is 999"),
        ("lr", "[1", "--set lr is not valid YAML"),
        ("lr", "!!python/name:os.system", "YAML tag"),
        ("batch", "0", "batch is 0"),
        ("batch", "1.5", "batch is 1.5"),
        ("compile", "perhaps", "compile is 'perhaps'"),
        ("amp", "off", "it must be one of none, bf16"),
    ],
)
def test_wrong_settings(key: str, word: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        recipe.changed(recipe.load("best"), {key: word})
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_the_page_shows_the_whole_of_best() -> None:
    page = (Path(__file__).parents[3] / "docs/training.md").read_text(encoding="utf-8")
    shown = yaml.safe_load(page.partition("```yaml\n")[2].partition("```")[0])
    assert recipe.from_mapping(shown, "best", "page") == replace(recipe.load("best"), about="")
