"""Where the registry keeps images."""
