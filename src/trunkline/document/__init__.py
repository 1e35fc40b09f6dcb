"""A file as YAML, with the place of every node: what workflows and buildspecs are read from."""
