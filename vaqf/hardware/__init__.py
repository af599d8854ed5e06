"""What is fixed at synthesis: board, design, command, the order of commands."""
