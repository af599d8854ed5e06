"""How a failed command ends: one sentence on one line, and never a traceback."""

import codecs
import io
import os
import shlex
import signal
import sys
import tempfile
import traceback
from collections.abc import Sequence

from typer import TyperException

from vaqf import __version__
from vaqf.files import interrupts
from vaqf.files.fields import nearest, shown
from vaqf.verbs import VERBS

INTERRUPTED = 130
BROKEN_PIPE = 141  # what a shell reports for a program that SIGPIPE ended


def one_line(text: str) -> str:
    """The text with line breaks as spaces and other control characters escaped.

    Names from the outside land in error messages; none may reach the terminal as a command.
    """
    joined = " ".join(part.strip() for part in text.splitlines())
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode()
        for c in joined
    )


def usage_sentence(error: TyperException, words: Sequence[str]) -> str:
    """A wrong command line as one sentence: what was wrong, the nearest name, where the list is.

    Told by what typer's exceptions hold, not by their words, which are its own affair.
    """
    command = " ".join(["vaqf", *[word for word in words if word in VERBS][:1]])
    help_ = f"`{command} -h` shows what is allowed"
    context, option = getattr(error, "ctx", None), getattr(error, "option_name", None)
    if option is not None and hasattr(error, "possibilities"):
        near = [f"did you mean {name}? " for name in error.possibilities or ()]
        return f"{command} has no option {option}; {''.join(near[:1])}`{command} -h` lists them"
    if option is not None:
        given = any(word.startswith(f"{option}=") for word in words)
        return (
            f"{option} takes no value; {help_}" if given else f"{option} lacks its value; {help_}"
        )
    if context is not None and context.parent is None:  # vaqf itself, which takes a verb
        verb = next((word for word in words if not word.startswith("-")), "")
        return f"unknown verb {shown(verb)}{nearest(verb, VERBS)}; known are {', '.join(VERBS)}"
    message = error.format_message()
    return f"{message[:1].lower()}{message[1:].rstrip('.')}; {help_}"


def internal_error(error: Exception, words: Sequence[str]) -> str:
    """Write the trace of a bug of ours to a file and return the sentence that names it."""
    trace = "".join(traceback.format_exception(error))
    text = f"vaqf {__version__}, Python {sys.version}\nvaqf {shlex.join(words)}\n\n{trace}"
    summary = f"{type(error).__name__}: {error}"
    try:
        with tempfile.NamedTemporaryFile(
            "w",
            prefix="vaqf-trace-",
            suffix=".txt",
            delete=False,
            encoding="utf-8",
            errors="backslashreplace",
        ) as file:
            file.write(text)
            where = f"the trace is in {file.name}, please report it"
    except OSError as cause:
        where = f"the trace could not be written ({cause.strerror})"
    return f"vaqf itself failed ({summary}); {where}"


def broken_pipe() -> int:
    """The reader of our output has left: drop what is buffered, quietly."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
    return BROKEN_PIPE


def prepare_process() -> None:
    """Let every way to end a command clean up as Ctrl-C does, and print where nobody listens."""
    for end in interrupts.ENDS:
        if signal.getsignal(end) != signal.SIG_IGN:  # as nohup sets it
            signal.signal(end, signal.default_int_handler)
    codecs.register_error("vaqf", _unencodable)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # the caller closed it, as in `vaqf ... >&-`
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        if isinstance(stream := getattr(sys, name), io.TextIOWrapper):
            stream.reconfigure(errors="vaqf")


def _unencodable(error: UnicodeError) -> tuple[bytes, int]:
    """What a stream of another encoding gets of names: bytes that are no text as the file system
    has them, letters that it does not know escaped."""
    assert isinstance(error, UnicodeEncodeError)
    part = error.object[error.start : error.end]
    return b"".join(map(_escaped, part)), error.end


def _escaped(letter: str) -> bytes:
    if "\udc80" <= letter <= "\udcff":  # of a byte, by os.fsdecode
        return bytes([ord(letter) - 0xDC00])
    return letter.encode("ascii", "backslashreplace")
