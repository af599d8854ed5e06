"""Rules of the vendor's guide that C simulation cannot see, read from the sources of the library.

Each rule is a function from source text to what breaks it, tried on a text that breaks it, too.
"""

import re
from collections import Counter
from dataclasses import dataclass

import pytest

from vaqf.files.paths import HLS_INCLUDE

HEADERS = {path.name: path.read_text() for path in sorted((HLS_INCLUDE / "vaqf").glob("*.hpp"))}
LIBRARY = "\n".join(HEADERS.values())
COMMENT = re.compile(r"//[^\n]*")
FUNCTION = re.compile(
    r"^(?:template <[^>]*>\n)?(?:inline |constexpr )?\w[\w:<>, &*]*?\b(\w+)\(([^{};]*)\) \{\n"
    r"(.*?)^\}\n",
    re.MULTILINE | re.DOTALL,
)
# type, name and dimensions of an array that a function declares
ARRAY = re.compile(
    r"^ +(?:static |const )*[\w:<>]+ ((?:\w+(?:\[[^\]]+\])+(?:, )?)+);", re.MULTILINE
)


@dataclass(frozen=True)
class Function:
    """A function of the library."""

    name: str
    parameters: tuple[str, ...]
    body: str

    @property
    def is_region(self) -> bool:
        return "#pragma HLS DATAFLOW" in self.body

    @property
    def is_kept(self) -> bool:
        """Synthesized as a module of its own."""
        return "#pragma HLS INLINE off" in self.body


def split(words: str) -> list[str]:
    """What stands between commas outside of brackets."""
    parts, depth = [""], 0
    for letter in words:
        depth += (letter in "<([") - (letter in ">)]")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


def functions(text: str) -> list[Function]:
    text = COMMENT.sub("", text)
    return [Function(m[1], tuple(split(m[2])), m[3]) for m in FUNCTION.finditer(text)]


def name_of(parameter: str) -> str:
    """`const ActWord q[kBanks][kDepth]` -> q"""
    return re.findall(r"\w+", re.sub(r"\[.*", "", parameter))[-1]


def statements(region: Function) -> list[str]:
    """What a region holds beside pragmas, a statement a line."""
    text = re.sub(r"^#pragma.*$", "", region.body, flags=re.MULTILINE)
    return [" ".join(part.split()) for part in text.split(";") if part.strip()]


CALL = re.compile(r"(\w+)(?:<[^;()]*>)?\((.*)\)$")
STREAM = re.compile(r'hls::stream<\w+> (\w+)\("\1"\)$')


def broken_regions(text: str) -> list[str]:
    """Regions with other than streams and calls, streams of other than two processes, memories of
    more than one, and whole commands in more than two (each is a queue of 512 bits)."""
    broken = []
    for region in functions(text):
        if not region.is_region:
            continue
        streams, users = set(), Counter()
        for statement in statements(region):
            if stream := STREAM.match(statement):
                streams.add(stream[1])
            elif call := CALL.match(statement):
                users.update(set(split(call[2])))
            else:
                broken.append(f"{region.name}: {statement}")
        broken += [f"{region.name}: {name}" for name in streams if users[name] != 2]
        for parameter in region.parameters:
            name = name_of(parameter)
            if re.search(r"[\[*]", parameter) and users[name] != 1:
                broken.append(f"{region.name}: {name}")
            if parameter.startswith("packed_command_t") and users[name] > 2:
                broken.append(f"{region.name}: {name}")
    return broken


def unpartitioned(text: str) -> list[str]:
    """Arrays of a function that are neither partitioned nor bound to a kind of memory."""
    broken = []
    for function in functions(text):
        for declared in ARRAY.findall(function.body):
            for array in split(declared):
                name = name_of(array)
                said = rf"(?:ARRAY_PARTITION variable = |VAQF_BIND_\w+\(){name}\b"
                if not re.search(said, function.body):
                    broken.append(f"{function.name}: {name}")
    return broken


def without_burst(text: str) -> list[str]:
    """Reads and writes of DRAM at other than a loop's counter (or at 0)."""
    broken = []
    for function in functions(text):
        held = re.findall(r"(?:weight_word_t|port_word_t)\* (\w+)", function.body)
        held += [name_of(p) for p in function.parameters if "*" in p]
        for name in held:
            places = re.findall(rf"\b{name}\[([^\]]*)\]", function.body)
            broken += [f"{function.name}: {name}[{at}]" for at in places if at not in ("i", "0")]
    return broken


def test_the_library_is_read() -> None:
    """All functions are seen, and the regions are those that run processes at the same time."""
    found = functions(LIBRARY)
    regions = {function.name for function in found if function.is_region}
    assert regions == {"matmul", "attend", "load_context_records", "run_step"}
    assert len(regions) == LIBRARY.count("#pragma HLS DATAFLOW")
    assert len(found) > 60


def test_regions_are_canonical() -> None:
    assert broken_regions(LIBRARY) == []


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        # the context in q's place, a memory read by two, a stream without a reader, a statement
        ("                records, context);", "                records, q);", "attend: q"),
        ("(pixel_words, images,", "(pixel_words, images, weights,", "matmul: weights"),
        ("  write_logits(logit_count, result_word, logits,", "  write_logits(", "matmul: logits"),
        ("  load_pixels(pixel_words,", "  ++index;\n  load_pixels(pixel_words,", "matmul: ++index"),
        ("repeat_records<kMaxDim / kPe>(", "repeat_records<kMaxDim / kPe>(packed, ", "packed"),
    ],
)
def test_a_broken_region_is_found(old: str, new: str, what: str) -> None:
    assert LIBRARY.count(old) == 1
    broken = broken_regions(LIBRARY.replace(old, new))
    assert any(what in one for one in broken)


# memories that an address alone chooses from; the tool may choose their kind
PLAIN = {"run: list", "run_matmuls: segments"}


def test_what_is_read_at_many_places_is_partitioned() -> None:
    assert set(unpartitioned(LIBRARY)) == PLAIN


def test_banks_that_are_not_partitioned_are_found() -> None:
    pragma = "#pragma HLS ARRAY_PARTITION variable = data complete\n"
    assert LIBRARY.count(pragma) == 2
    assert {"read_tile: data", "read_run: data"} <= set(unpartitioned(LIBRARY.replace(pragma, "")))


def test_dram_is_read_at_the_counter_of_a_loop() -> None:
    assert without_burst(LIBRARY) == []
    broken = LIBRARY.replace("words.write(from[i]);", "words.write(from[first + i]);")
    assert without_burst(broken) == ["load_words: from[first + i]"]


@pytest.mark.parametrize("header", ["lookup.hpp", "masked_sum.hpp"])
def test_one_output_is_one_function(header: str) -> None:
    """What sums for one output is kept whole and called at one place; so is what prepares it."""
    found = {function.name: function for function in functions(HEADERS[header])}
    assert found["prepare"].is_kept and found["sum_subsets"].is_kept
    assert "kPe" not in found["sum_subsets"].body + "".join(found["sum_subsets"].parameters)
    for name in ("prepare", "sum_subsets", "gather_step"):
        assert len(re.findall(rf"\b{name}(?:<\w+>)?\(", HEADERS["engine.hpp"])) == 1


def test_tables_of_sums_lie_in_the_function_that_reads_them() -> None:
    holders = [f for f in functions(LIBRARY) if "VAQF_BIND_LUTRAM(" in f.body]
    assert [(holder.name, holder.is_kept) for holder in holders] == [("sum_subsets", True)]
