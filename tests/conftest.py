"""Shared by every test: hypothesis without time limits (shared cores), the same cases each run."""

from hypothesis import settings

settings.register_profile("vaqf", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("vaqf")
