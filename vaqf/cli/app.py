"""The command line: words to calls of the verbs, results to tables or JSON, errors to one line."""

import gc
import importlib
import sys
import warnings
from collections.abc import Sequence
from typing import Annotated, Any

import typer
import typer.main
from typer.core import TyperGroup

from vaqf import __version__
from vaqf.cli.failure import (
    INTERRUPTED,
    broken_pipe,
    internal_error,
    one_line,
    prepare_process,
    usage_sentence,
)
from vaqf.errors import InputError, VaqfError
from vaqf.verbs import VERBS

SMALL_OBJECTS = 50_000  # before circles among them are looked for: a search makes many, and none


class Verbs(TyperGroup):
    """The commands of all verbs, each imported when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Their names, in the order of the help."""
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of one verb; None for a name that is none."""
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"vaqf.cli.{VERBS[cmd_name].command}")
        one = typer.Typer(
            add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
        )
        one.command(cmd_name)(getattr(module, cmd_name))
        return typer.main.get_command(one)


app = typer.Typer(
    name="vaqf",
    cls=Verbs,
    help="From a vision transformer and a frame rate to an FPGA accelerator.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        print(f"vaqf {__version__}")
    elif context.invoked_subcommand is None:
        print(context.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; never raises."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = typer.main.get_command(app)(words, prog_name="vaqf", standalone_mode=False)
        sys.stdout.flush()
    except VaqfError as error:
        return _fail(str(error), error.exit_code)
    except typer.TyperException as error:
        return _fail(usage_sentence(error, words), InputError.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except BrokenPipeError:
        return broken_pipe()
    except SystemExit as end:  # how typer and rich answer a broken pipe, with exit code 1
        if isinstance(end.__context__, BrokenPipeError):
            return broken_pipe()
        raise
    except Exception as error:  # noqa: BLE001  the one place where a bug of ours becomes a sentence
        if isinstance(error, OSError) and error.errno is not None:
            where = f"{error.filename}: " if error.filename else ""
            return _fail(f"{where}{error.strerror}", InputError.exit_code)
        return _fail(internal_error(error, words), VaqfError.exit_code)
    if code == INTERRUPTED:
        resumable = bool(words) and words[0] in VERBS and VERBS[words[0]].resumable
        again = "; --resume goes on from there" if resumable else ""
        return _fail(f"interrupted; nothing was left half-written{again}", INTERRUPTED)
    return int(code or 0)


def _fail(sentence: str, exit_code: int) -> int:
    """One line on standard error."""
    try:
        sys.stdout.flush()
    except OSError:
        broken_pipe()
    print(f"error: {one_line(sentence)}", file=sys.stderr)
    return exit_code


def run() -> None:
    """The console script."""
    prepare_process()
    gc.set_threshold(SMALL_OBJECTS)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # other libraries' advice to programmers
    sys.exit(main())
