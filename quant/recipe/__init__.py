"""A recipe: its stages from YAML, and what each step of a stage sets."""
