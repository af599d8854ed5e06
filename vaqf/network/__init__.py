"""The integer network: its structure, its file, and how float parameters become one."""
