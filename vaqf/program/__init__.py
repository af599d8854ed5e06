"""What is loaded at run time: the command list and the packed memory image."""
