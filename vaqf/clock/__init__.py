"""The clock that a design meets, before any tool has seen it."""
