"""Vivado's reports as its versions write them, read and refused."""

from dataclasses import replace
from pathlib import Path

import fake_vivado
import pytest
from fake_vivado import TOP, VERSIONS, Answers

from vaqf.errors import InputError
from vaqf.hardware.board import load as load_board
from vaqf.hardware.board import names as board_names
from vaqf.hardware.fabric import Resources
from vaqf.sim.synth.vendor import report, timing, utilization
from vaqf.sim.synth.vendor.report import Report
from vaqf.sim.synth.vendor.timing import Slack

PARTS = ("xczu9eg-ffvb1156-2-e", "xck26-sfvc784-2LV-c", "xc7z020clg400-1")


def read(folder: Path, text: str) -> Report:
    (folder / "a.rpt").write_text(text)
    _, found = report.read(folder / "a.rpt")
    return found


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("windows", [False, True])
def test_every_version_and_family_is_read(
    tmp_path: Path, part: str, version: str, windows: bool
) -> None:
    answers = Answers(part, version, hold="-0.010")
    ends = "\r\n" if windows else "\n"
    texts = (fake_vivado.utilization(answers), fake_vivado.timing_summary(answers))
    first, second = (read(tmp_path, text.replace("\n", ends)) for text in texts)
    for one in (first, second):
        one.check(TOP, part)
    assert utilization.parse(first) == Resources(24101, 3800, 27500, 112, 17.5, 0)
    slacks = timing.parse(second)
    assert slacks.setup == Slack(0.125, 0, 0, 54321)
    assert slacks.hold == Slack(-0.01, -1.5, 3, 54321)
    assert slacks.pulse_width == Slack(1.958, 0, 0, 54321)
    assert (slacks.setup.met, slacks.hold.met, slacks.met) == (True, False, False)


@pytest.mark.parametrize("part", [load_board(name).part for name in board_names()])
def test_every_board_is_known_by_the_header_of_every_version(tmp_path: Path, part: str) -> None:
    for version in VERSIONS:
        answers = Answers(part, version)
        for text in (fake_vivado.utilization(answers), fake_vivado.timing_summary(answers)):
            read(tmp_path, text).check(TOP, part)


def test_a_field_may_be_empty_and_a_command_long(tmp_path: Path) -> None:
    text = fake_vivado.utilization(Answers(PARTS[0]))
    text = text.replace("somewhere running 64-bit Linux", "").replace("-file a", "-file\na")
    found = read(tmp_path, text)
    assert found.header["Host"] == ""
    found.check(TOP, PARTS[0])
    assert utilization.parse(found).dsp == 112


@pytest.mark.parametrize(
    ("top", "part", "said"),
    [
        ("counter", PARTS[0], "is of the design 'counter'"),
        (TOP, PARTS[1], f"is of the device '{PARTS[1]}'"),
        (TOP, "xczu9eg-ffvb1156-1-e", "is of the device 'xczu9eg-ffvb1156-1-e'"),
        (TOP, "xc", "is of the device 'xc'"),
    ],
)
def test_a_report_of_another_design_is_refused(
    tmp_path: Path, top: str, part: str, said: str
) -> None:
    found = read(tmp_path, fake_vivado.utilization(Answers(part, top=top)))
    with pytest.raises(InputError, match=said):
        found.check(TOP, PARTS[0])


@pytest.mark.parametrize("state", ["Synthesized", "Fully Placed", "Partially Routed"])
def test_a_report_before_routing_is_refused(tmp_path: Path, state: str) -> None:
    found = read(tmp_path, fake_vivado.utilization(Answers(PARTS[0], state=state)))
    with pytest.raises(InputError, match=f"{state}, not routed"):
        utilization.parse(found)


def test_a_design_optimized_behind_routing_is_routed(tmp_path: Path) -> None:
    found = read(tmp_path, fake_vivado.utilization(Answers(PARTS[0], state="Physopt postRoute")))
    assert utilization.parse(found).dsp == 112


@pytest.mark.parametrize("resource", ["lut", "ff", "dsp", "bram", "uram"])
@pytest.mark.parametrize("count", ["", "-1", "many", "1e99", "0.3", "1,000", "٣"])
def test_a_count_that_is_none_is_refused(tmp_path: Path, resource: str, count: str) -> None:
    good = Answers(PARTS[0])
    found = read(
        tmp_path, fake_vivado.utilization(replace(good, used=good.used | {resource: count}))
    )
    with pytest.raises(InputError, match="in the row"):
        utilization.parse(found)


@pytest.mark.parametrize("row", ["CLB LUTs", "LUT as Memory", "CLB Registers", "DSPs", "Block RAM"])
def test_a_missing_row_is_named(tmp_path: Path, row: str) -> None:
    lines = fake_vivado.utilization(Answers(PARTS[0])).splitlines()
    found = read(tmp_path, "\n".join(line for line in lines if row not in line))
    with pytest.raises(InputError, match=f"has no row {row}"):
        utilization.parse(found)


@pytest.mark.parametrize("kind", ["hold", "pulse_width"])
@pytest.mark.parametrize("slack", ["NA", "inf", "-inf", "nan", "1e300", "x"])
def test_slack_that_is_none_is_refused(tmp_path: Path, kind: str, slack: str) -> None:
    answers = replace(Answers(PARTS[0]), **{kind: slack})
    found = read(tmp_path, fake_vivado.timing_summary(answers))
    with pytest.raises(InputError, match=f"no slack of {kind.replace('_', ' ')}"):
        timing.parse(found)


def test_a_summary_cut_anywhere_is_refused_or_whole(tmp_path: Path) -> None:
    """Of what a cut leaves only the whole row of the table is an answer."""
    text = fake_vivado.timing_summary(Answers(PARTS[0]))
    whole = timing.parse(read(tmp_path, text))
    end = text.index("\n", text.index("54321", text.index("1.958")))
    for at in (*range(0, end - 5, 97), end - 5):
        with pytest.raises(InputError):
            timing.parse(read(tmp_path, text[:at]))
    assert timing.parse(read(tmp_path, text[:end])) == whole


def test_a_report_that_has_no_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "MAX_REPORT_BYTES", 100)
    with pytest.raises(InputError, match="larger than 100 bytes"):
        read(tmp_path, "x" * 101)


def test_bytes_that_are_no_text_are_no_report(tmp_path: Path) -> None:
    (tmp_path / "a.rpt").write_bytes(bytes(range(256)) * 100)
    _, found = report.read(tmp_path / "a.rpt")
    with pytest.raises(InputError, match="is of the design ''"):
        found.check(TOP, PARTS[0])
    with pytest.raises(InputError, match="in no state"):
        utilization.parse(found)
    with pytest.raises(InputError, match="has no table"):
        timing.parse(found)
