"""What `vaqf evaluate` prints: a few lines, and tables on demand, from the keys of its JSON."""

from collections.abc import Iterator, Sequence

from rich.table import Table

from vaqf.cli.failure import one_line
from vaqf.cli.show.tables import Json, console, number, table
from vaqf.cli.words import count, percent, share, told

FIRST_CLASSES = 20  # of unlabelled images; as many classes as a confusion matrix has room for
WORST = 3  # classes, findings
FINDINGS = {
    "low": "saturated at its low end",
    "high": "saturated at its high end",
    "narrow": "uses little of its range",
}


def lines(doc: Json, quiet: bool) -> None:
    """The accuracy, and what else deserves a line; names from outside cannot act as commands."""
    for line in _lines(doc, quiet):
        print(one_line(line))


def _lines(doc: Json, quiet: bool) -> Iterator[str]:
    yield f"{doc['model']} w1a{doc['act_bits']}, {doc['weights']}"
    yield f"images: {doc['data']}"
    yield from told(doc["unreadable"], doc["notes"])
    labelled = doc["correct"] is not None
    if labelled:
        yield f"{share(doc['correct'], doc['images'])} images correct"
    else:
        yield f"{count(doc['images'], 'image')} without labels; {_answers(doc['classes'])}"
    if quiet:
        return
    sure = f"mean confidence {percent(doc['mean_confidence'])}"
    if labelled:
        top5 = "" if doc["top5"] is None else f"top-5: {percent(doc['top5'])}; "
        yield f"{top5}{sure}, expected calibration error {percent(doc['ece'])}"
        if worst := _worst_classes(doc):
            yield f"worst classes: {worst}"
    else:
        yield sure
    if doc["agreement"] is not None:
        yield _agreement(doc["agreement"], doc["images"])
    yield _findings(doc["quantizers"])


def _answers(classes: Sequence[int]) -> str:
    """'classes: [3, 5]', the first ones of many."""
    if len(classes) <= FIRST_CLASSES:
        return f"classes: {list(classes)}"
    return f"the first {FIRST_CLASSES} classes: {list(classes[:FIRST_CLASSES])}, all with --json"


def _worst_classes(doc: Json) -> str:
    """'9 (recall 77.8 %), ...': those that lose images, the worst first."""
    met = (score for score in doc["per_class"] if score["images"])
    missed = sorted((score["recall"], score["class"]) for score in met if score["recall"] < 1)
    return ", ".join(
        f"{_named(doc, label)} (recall {percent(recall)})" for recall, label in missed[:WORST]
    )


def _named(doc: Json, label: int) -> str:
    """A class as the network calls it, or its number."""
    return str(doc["class_names"][label] if doc["class_names"] else label)


def _agreement(found: Json, images: int) -> str:
    """The float model in one line."""
    correct = found["float_correct"]
    own = "" if correct is None else f"{share(correct, images)} correct; "
    return (
        f"float model {found['float']}: {own}the same class for {share(found['same'], images)}, "
        f"mean KL divergence {found['mean_kl']:.3g} nats"
    )


def _findings(quantizers: Sequence[Json]) -> str:
    """How many quantizers look wrong, and the first of them."""
    wrong = [one for one in quantizers if one["findings"]]
    if not wrong:
        return f"{count(len(quantizers), 'quantizer')}: none saturates, all use their range"
    first = [
        f"{one['name']} {' and '.join(FINDINGS[word] for word in one['findings'])}"
        for one in wrong[:WORST]
    ]
    more = f", and {len(wrong) - WORST} more" if len(wrong) > WORST else ""
    looks = "looks" if len(wrong) == 1 else "look"
    return (
        f"{len(wrong)} of {count(len(quantizers), 'quantizer')} {looks} wrong: "
        f"{', '.join(first)}{more}; --tables shows them"
    )


def tables(doc: Json) -> None:
    """Recall and precision of every class, the confusion matrix, and every quantizer."""
    out = console()
    scores, matrix = doc["per_class"], doc["confusion"]
    if scores is not None:
        columns = ("class", ">images", ">recall %", ">precision %")
        met = [s for s in scores if s["images"] or s["predicted"]]
        rows = [
            (
                one_line(_named(doc, s["class"])),
                number(s["images"]),
                _hundred(s["recall"]),
                _hundred(s["precision"]),
            )
            for s in met
        ]
        out.print()
        out.print(table("Classes", columns, rows))
    if matrix is not None and len(matrix) <= FIRST_CLASSES:
        answers = ("class", *(f">{label}" for label in range(len(matrix))))
        counts = [(str(i), *(str(n or "") for n in row)) for i, row in enumerate(matrix)]
        out.print()
        out.print(table("Confusion", answers, counts))
        out.print("rows: the images' class; columns: the answer")
    out.print()
    out.print(_quantizers(doc["quantizers"]))
    out.print(
        "%low, %high: values at that end of the grid; %used: its levels that occur. low, high: "
        "many values are clamped to that end; narrow: nearly all fill little of the grid"
    )


def _quantizers(quantizers: Sequence[Json]) -> Table:
    """Every quantizer: its grid, what of it is used, what looks wrong."""
    rows = [
        (
            one["name"],
            _integer_type(one["low"], one["high"]),
            f"{one['min']}..{one['max']}",
            _hundred(one["at_low"]),
            _hundred(one["at_high"]),
            _hundred(one["levels_used"] if one["values"] > one["high"] - one["low"] else None),
            " ".join(one["findings"]),
        )
        for one in quantizers
    ]
    columns = ("quantizer", "type", "values", ">%low", ">%high", ">%used", "")
    return table("Quantizers", columns, rows)


def _integer_type(low: int, high: int) -> str:
    """'u8' or 's16', as docs/arithmetic.md writes them."""
    return f"s{high.bit_length() + 1}" if low < 0 else f"u{high.bit_length()}"


def _hundred(part: float | None) -> str:
    """A share of one in percent, without the sign."""
    return "-" if part is None else number(100 * part)
