"""What a run or a sweep leaves to be read: history, points, pictures."""
