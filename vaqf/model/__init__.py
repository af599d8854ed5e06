"""The shapes of a vision transformer, the zoo, its layers with their MACs."""
