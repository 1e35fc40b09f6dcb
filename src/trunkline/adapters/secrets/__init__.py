"""Where secrets and variables come from."""
