"""What a design takes of a device: memories, quantities, what one of each costs."""
