"""Files and values from outside, read without trusting them; results written whole."""
