"""Shared by every test: hypothesis without time limits (shared cores), the same cases each run."""

import signal

from hypothesis import settings

settings.register_profile("vaqf", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("vaqf")

# a shell ignores ctrl-C for what it runs in the background, and so would all programs under test
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
