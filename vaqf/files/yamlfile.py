"""Models and boards come as small YAML mappings: read one without trusting it."""

import functools
import re
from pathlib import Path
from typing import Any

from vaqf.errors import InputError
from vaqf.files import smallfile

MAX_BYTES = 65_536  # our own files are under 4 kB
MAX_DEPTH = 8
_INT, _FLOAT = "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"
FORMAT = "a YAML mapping of plain keys and values"


def exists(text: str) -> bool:
    """Whether a word of the user's is a path that is there."""
    try:
        return Path(text).exists()
    except (OSError, ValueError):  # too long, or a zero byte
        return False


def read_mapping(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file; InputError names the file and what is wrong with it."""
    return parse_mapping(_read_text(path), str(path))


def parse_mapping(text: str, where: str) -> dict[str, Any]:
    """The mapping in a YAML text; no aliases, no tags, no duplicate keys, depth at most 8."""
    import yaml

    loader = _loader()
    try:
        _check_events(yaml, yaml.parse(text, Loader=loader), where)
        root = yaml.compose(text, Loader=loader)
        _check_keys(root, where)
        content = yaml.load(text, Loader=loader)
    except yaml.YAMLError as error:
        problem = " ".join(str(getattr(error, "problem", None) or error).split())[:120]
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark is not None else ""
        raise InputError(f"{where} is not valid YAML{line}: {problem}") from error
    except ValueError as error:  # a date such as 2000-99-99, an integer of 5,000 digits
        raise InputError(f"{where} holds a value that cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise InputError(f"{where} is no mapping; it must be {FORMAT}")
    for key in content:
        if not isinstance(key, str):
            raise InputError(f"{where} has the key {key!r}; keys must be words")
    return content


@functools.cache
def _loader() -> Any:
    """YAML 1.1's safe loader with the numbers that people write: 1e-3 is one, 1_000 is a word.

    In YAML 1.1 010 is eight, 1:30 is ninety and 1_000 a thousand; here none of them is a number, so
    that whoever checks the value refuses it.
    """
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        pass

    resolvers = yaml.SafeLoader.yaml_implicit_resolvers
    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in kinds if tag not in (_INT, _FLOAT)]
        for first, kinds in resolvers.items()
    }
    Loader.add_implicit_resolver(_INT, re.compile(r"[-+]?(0|[1-9][0-9]*)\Z"), list("-+0123456789"))
    Loader.add_implicit_resolver(
        _FLOAT,
        re.compile(
            r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\Z"
            r"|[-+]?[0-9]+[eE][-+]?[0-9]+\Z|[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z"
        ),
        list("-+.0123456789"),
    )
    return Loader


def _read_text(path: Path) -> str:
    data = smallfile.read(path, MAX_BYTES, FORMAT)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text (byte {error.start})") from error


def _check_events(yaml: Any, events: Any, where: str) -> None:
    """Refuse what could grow without limit or build objects, before anything is built."""
    depth = 0
    for event in events:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise InputError(f"{where} uses YAML anchors or aliases; write the values out")
        if getattr(event, "tag", None):
            raise InputError(f"{where} uses the YAML tag {event.tag!r}; write plain values")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise InputError(f"{where} is nested deeper than {MAX_DEPTH} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _check_keys(node: Any, where: str) -> None:
    """YAML lets the last of two equal keys win silently; we do not."""
    if node is None or not isinstance(node.value, list):
        return
    seen: set[str] = set()
    for item in node.value:
        if not isinstance(item, tuple):
            _check_keys(item, where)
            continue
        key, value = item
        if isinstance(key.value, str):
            if key.value in seen:
                raise InputError(f"{where} has the key {key.value!r} twice")
            seen.add(key.value)
        _check_keys(value, where)
