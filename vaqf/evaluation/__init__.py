"""What an integer network says of labelled images."""
