"""Where the registry's users are kept, and the key of its tokens."""
