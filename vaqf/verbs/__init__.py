"""The verbs: one function each, with the name and the defaults of the command line."""
