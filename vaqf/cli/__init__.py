"""The command line: words to calls of the verbs, answers to lines and tables."""

from vaqf.cli.app import main, run

__all__ = ["main", "run"]
