"""Pictures and sets of them, as uint8 pixels."""
