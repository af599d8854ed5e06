"""From a target FPS to precision and design."""
