"""A project on disk: written, rendered from templates, read back."""
