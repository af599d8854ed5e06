"""sweep.py: several precisions from one float model, interrupted and gone on with."""

import csv
from pathlib import Path
from typing import Any

import pytest
from small_runs import SMALL, few, quick, sha, stage_of

from vaqf.errors import InputError
from vaqf.images.made import digits
from vaqf.network import networkfile
from vaqf.quant.files import checkpoint
from vaqf.quant.recipe.recipe import Recipe
from vaqf.quant.report.pareto import Point
from vaqf.quant.training import processes
from vaqf.quant.training.sweep import checkpoint_file, sweep
from vaqf.quant.training.train import float_file, train
from vaqf.sim import golden

FPS = {8: (30.0, False, "lut"), 6: (45.5, True, "lut"), 4: (60.0, True, "bram36")}
BEST = quick("best", each=1)
IMAGES = 32, 100  # to learn from, to judge by


def made(folder: Path, bits: tuple[int, ...] = (4, 8), **options: Any) -> list[Point]:
    """A sweep of a second."""
    chosen: Recipe = options.pop("recipe", BEST)
    return sweep(
        SMALL, few(*IMAGES), folder, chosen, act_bits=bits, fps=FPS, board="zcu104", **options
    )


def content(folder: Path) -> dict[str, bytes]:
    """What a sweep leaves that does not hold a time."""
    names = ("sweep.csv", "sweep.png", "w1a8.safetensors", "w1a4.safetensors")
    return {name: (folder / name).read_bytes() for name in names}


def told(what: str) -> tuple[str, str]:
    """Precision and stage of a report."""
    return what.split(maxsplit=1)[0], stage_of(what)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Point], list[Any]]:
    """A sweep, what it returned, and what it reported."""
    folder = tmp_path_factory.mktemp("sweep") / "new" / "folder"
    seen: list[tuple[str, str]] = []
    points = made(folder, target_fps=40.0, report=lambda what, *_: seen.append(told(what)))
    return folder, points, seen


def test_every_precision_is_trained_from_the_highest_on_one_float_model(
    whole: tuple[Path, list[Point], list[Any]],
) -> None:
    folder, points, seen = whole
    assert seen[::2] == [("w1a8", "float"), ("w1a8", "binary"), ("w1a4", "binary")]
    assert {path.name for path in folder.glob("*.safetensors")} == {
        "w1a8.safetensors",
        "w1a8.float.safetensors",
        "w1a4.safetensors",
    }
    assert [point.act_bits for point in points] == [8, 4]
    assert points[0].float_correct == points[1].float_correct is not None
    alone = train(
        SMALL,
        few(*IMAGES),
        folder.parent / "alone.pt",
        BEST,
        act_bits=4,
        teacher=float_file(checkpoint_file(folder, 8)),
    )
    assert alone.correct == points[1].correct
    assert sha(folder.parent / "alone.pt") == sha(folder / "w1a4.pt")


def test_points_are_what_the_integer_networks_reach_and_the_search_says(
    whole: tuple[Path, list[Point], list[Any]],
) -> None:
    folder, points, _ = whole
    pixels, labels = digits(SMALL, "test")
    for point in points:
        written = networkfile.read(folder / point.network)
        assert written.act_bits == point.act_bits
        assert networkfile.sha256(written) == sha(folder / point.checkpoint)
        right = golden.labels(golden.run(written, pixels[:100])) == labels[:100]
        assert (point.correct, point.images) == (int(right.sum()), 100)
        assert 0 < point.correct < 100
        assert (point.fps, point.feasible, point.limited_by) == FPS[point.act_bits]
    with (folder / "sweep.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["act_bits"] for row in rows] == ["8", "4"]
    assert [row["checkpoint"] for row in rows] == ["w1a8.pt", "w1a4.pt"]
    assert [row["feasible"] for row in rows] == ["false", "true"]
    assert [int(row["correct"]) for row in rows] == [point.correct for point in points]


@pytest.mark.parametrize("stop", ["float model", "between", "second precision", "its last step"])
def test_an_interrupted_sweep_keeps_what_it_has_and_ends_the_same(
    stop: str, whole: tuple[Path, list[Point], list[Any]], tmp_path: Path
) -> None:
    places = {
        "float model": ("w1a8", "float", 1),
        "between": ("w1a8", "binary", 3),
        "second precision": ("w1a4", "binary", 3),
        "its last step": ("w1a4", "binary", 4),
    }

    def interrupt(what: str, done: int, of: int) -> None:
        if (*told(what), done) == places[stop]:
            raise KeyboardInterrupt

    folder = tmp_path / "sweep"
    with pytest.raises(KeyboardInterrupt):
        made(folder, target_fps=40.0, report=interrupt)
    if stop in ("second precision", "its last step"):
        lines = (folder / "sweep.csv").read_text().splitlines()
        assert [line.split(",")[0] for line in lines] == ["act_bits", "8"]
        assert (folder / "sweep.png").is_file()
    steps: list[str] = []

    def note(what: str, done: int, of: int) -> None:
        steps.append(told(what)[0])

    again = made(folder, target_fps=40.0, resumed=True, report=note)
    assert again == whole[1] and content(folder) == content(whole[0])
    assert ("w1a8" in steps) == (stop in ("float model", "between"))


def test_a_complete_sweep_is_not_trained_again_and_can_be_extended(
    whole: tuple[Path, list[Point], list[Any]], tmp_path: Path
) -> None:
    folder = tmp_path / "sweep"
    first = made(folder, (6,))
    seen: list[tuple[str, str]] = []

    def note(what: str, done: int, of: int) -> None:
        seen.append(told(what))

    assert made(folder, (6,), resumed=True, report=note) == first and seen == []
    points = made(folder, (8, 6, 4), resumed=True, report=note)
    assert set(seen) == {
        ("w1a8", "binary"),
        ("w1a4", "binary"),
    }  # the float model of w1a6 is theirs
    assert points[1] == first[0]
    assert [point.correct for point in points[::2]] == [point.correct for point in whole[1]]
    assert not float_file(checkpoint_file(folder, 8)).exists()


def test_the_float_model_is_there_before_its_precision_counts_as_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, write = tmp_path / "sweep", checkpoint.write

    def killed(path: Path, parts: Any) -> None:
        write(path, parts)
        if parts["result"] is not None:
            raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        made(folder)
    monkeypatch.undo()
    assert len(made(folder, resumed=True)) == 2


def test_a_recipe_without_a_float_model_trains_each_precision_alone(tmp_path: Path) -> None:
    points = made(tmp_path / "sweep", recipe=quick("one_shot", each=1))
    assert [point.float_correct for point in points] == [None, None]
    assert list(tmp_path.rglob("*.float.safetensors")) == []
    rows = (tmp_path / "sweep" / "sweep.csv").read_text().splitlines()
    assert [row.split(",")[4] for row in rows] == ["float_accuracy", "", ""]
    with pytest.raises(InputError, match="starts without a float model"):
        made(tmp_path / "other", recipe=quick("one_shot"), teacher=tmp_path / "x.safetensors")


def test_a_given_float_model_teaches_every_precision(
    whole: tuple[Path, list[Point], list[Any]], tmp_path: Path
) -> None:
    teacher = float_file(checkpoint_file(whole[0], 8))
    stages: set[str] = set()
    points = made(
        tmp_path / "sweep", teacher=teacher, report=lambda what, *_: stages.add(stage_of(what))
    )
    assert stages == {"binary"} and list(tmp_path.rglob("*.float.safetensors")) == []
    assert [point.float_correct for point in points] == [point.float_correct for point in whole[1]]


def test_a_folder_in_use_is_gone_on_with_or_started_again_only_when_asked(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    made(folder, (8,))
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="is not empty; --resume"):
        made(folder, (8,))
    with pytest.raises(InputError, match=r"w1a8\.pt was made with seed 0, not 1"):
        made(folder, (8,), seed=1, resumed=True)
    before = sha(folder / "w1a8.pt")
    made(folder, (6,), seed=1, force=True)
    # nothing of the first sweep is left that a resumed one would go on from
    made(folder, (8, 6), seed=1, resumed=True)
    assert sha(folder / "w1a8.pt") != before
    assert (folder / "notes.txt").read_text() == "mine"


def test_a_folder_that_holds_other_things_keeps_them(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="holds no sweep to start again"):
        made(folder, (8,), force=True)
    for name in ("w1a8.csv", "w1a8.png", "w1a8.float.safetensors", "sweep.csv", "w1a3.safetensors"):
        (folder / name).write_text("mine")
        for way in ({"force": True}, {"resumed": True}):
            with pytest.raises(InputError, match=rf"{name} exists and was not written by vaqf"):
                made(folder, (8,), **way)
        (folder / name).unlink()
    (folder / "w1a8.pt").write_text("mine")
    with pytest.raises(InputError, match=r"w1a8\.pt exists and was not written by vaqf"):
        made(folder, (8,), force=True)
    assert {path.read_text() for path in folder.iterdir()} == {"mine"}


def test_a_float_model_that_is_gone_is_missed_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    made(folder, (8,))
    float_file(checkpoint_file(folder, 8)).unlink()
    with pytest.raises(InputError, match=r"w1a8\.float\.safetensors is gone"):
        made(folder, (8, 4), resumed=True)


@pytest.mark.parametrize(
    ("bits", "message"),
    [((), "no precisions"), ((8, 9), "act_bits is 9"), ((8, True), "act_bits is True")],
)
def test_wrong_precisions_are_refused_before_any_work(
    bits: tuple[int, ...], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        made(tmp_path / "sweep", bits)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "sweep"
    place.write_text("mine")
    for force in (False, True):
        with pytest.raises(InputError, match="is no folder"):
            made(place, force=force)
    assert place.read_text() == "mine"


def test_runs_of_a_sweep_share_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    told = {"WORLD_SIZE": "2", "RANK": "1", "MASTER_ADDR": "localhost", "MASTER_PORT": "1"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    fake = processes.distributed
    monkeypatch.setattr(fake, "init_process_group", lambda backend: calls.append("connect"))
    monkeypatch.setattr(fake, "destroy_process_group", lambda: calls.append("leave"))
    monkeypatch.setattr(fake, "is_initialized", lambda: calls == ["connect"])
    with processes.join("cpu") as outer, processes.join("cpu") as inner:
        assert (inner.rank, inner.world) == (outer.rank, outer.world) == (1, 2)
    assert calls == ["connect", "leave"]
