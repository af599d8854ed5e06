"""What the commands print: lines and tables of each answer."""
