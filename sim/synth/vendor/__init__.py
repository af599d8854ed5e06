"""What Vivado says of a project's RTL: its reports read without running it."""
