"""What a sample's label says, and which class that is."""

import pytest

from vaqf.images.pictures import Unreadable
from vaqf.images.shardlabels import Absent, Labelling, Said, found, said

NAMED = Labelling((2, 0, 1), {"ant": 2, "bee": 0, "cat": 1})


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cls": b"7"}, Said(7, None)),
        ({"cls": b" 7\r\n"}, Said(7, None)),
        ({"cls": b"\xef\xbb\xbfgolden retriever\n"}, Said(None, "golden retriever")),
        ({"cls": b"7", "json": b'{"label": 8}'}, Said(7, None)),
        ({"json": b'{"label": 8, "caption": "7"}'}, Said(8, None)),
        ({"json": b'{"class": "8"}'}, Said(8, None)),
        ({"json": b'{"label": 0.0}'}, Said(0, None)),
        ({"json": b'{"cls": "ant", "class_id": 3, "label": 3}'}, Said(3, "ant")),
        ({"json": b'{"cls": "n01440764", "class": "tench", "label": 0}'}, Said(0, None)),
        ({"json": b'{"label": null, "class": "bee"}'}, Said(None, "bee")),
    ],
)
def test_what_a_label_says(files: dict[str, bytes], expected: Said) -> None:
    assert said(files) == expected
    assert found(files)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, r"it has no label \(cls or json\)"),
        ({"json": b"{}"}, r"its json names no class \(label, cls, class_id, class\)"),
        ({"json": b'[["label", 3]]'}, "its json names no class"),
        ({"json": b'{"meta": {"label": 3}}'}, "its json names no class"),
        ({"json": b"3"}, "its json names no class"),
    ],
)
def test_no_label(files: dict[str, bytes], reason: str) -> None:
    with pytest.raises(Absent, match=reason):
        said(files)
    assert not found(files)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"cls": b""}, "its cls is ''; it must be a class number or a name"),
        ({"cls": b"\xff"}, r"its label b'\\xff' is no text"),
        ({"cls": b"-1"}, "its label -1 is no class number"),
        ({"cls": b"9" * 1000}, "its label 9+... is no class number"),
        ({"json": b'{"label": 3, "class_id": 4}'}, "it has two labels: label 3, class_id 4"),
        ({"json": b'{"label": "ant", "class": "bee"}'}, "two labels: label 'ant', class 'bee'"),
        ({"json": b'{"label": 3, "label": 3}'}, "its json has a key twice"),
        ({"json": b'{"label": true}'}, "its label is True; it must be"),
        ({"json": b'{"label": 3.5}'}, "its label is 3.5; it must be"),
        ({"json": b'{"label": Infinity}'}, "its label is inf; it must be"),
        ({"json": b'{"label": 1e300}'}, "its label 1.* is no class number"),
        ({"json": b'{"label": [1, 0]}'}, r"its label is \[1, 0\]; it must be"),
        ({"json": b'{"label": 3'}, "its json is no JSON"),
        ({"json": b'{"label": ' + b"9" * 5000 + b"}"}, "its json is no JSON"),
        ({"json": b"[" * 100_000}, "its json is no JSON"),
        ({"json": b"\xff"}, "its json is no JSON"),
    ],
)
def test_what_is_no_label(files: dict[str, bytes], reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        said(files)


def test_labels_are_classes_by_number_and_by_name() -> None:
    assert [NAMED.of({"cls": b"%d" % number}) for number in range(3)] == [2, 0, 1]
    assert [NAMED.of({"cls": name}) for name in (b"ant", b"bee", b"cat")] == [2, 0, 1]
    assert NAMED.of({"json": b'{"label": 1, "class": "bee"}'}) == 0
    assert NAMED.of({"json": b'{"label": 1, "class": "Apis mellifera"}'}) == 0
    assert Labelling.of_model((), 3).of({"cls": b"2"}) == 2


@pytest.mark.parametrize(
    ("labelling", "label", "reason"),
    [
        (NAMED, b"3", "its label 3 is not a number from 0 to 2"),
        (
            NAMED,
            b"bea",
            "its label 'bea' is no class; they are 'ant', 'bee'",
        ),
        (
            Labelling.of_model((), 3),
            b"ant",
            "'ant' is a name, and .* give class_names in",
        ),
    ],
)
def test_labels_that_are_no_class(labelling: Labelling, label: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        labelling.of({"cls": label})


def test_a_number_and_a_name_of_two_classes() -> None:
    with pytest.raises(Unreadable, match="labels 1 and 'ant' are two different classes"):
        NAMED.of({"json": b'{"label": 1, "class": "ant"}'})
