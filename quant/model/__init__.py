"""The model in training: float teacher, binary student, quantizers."""
