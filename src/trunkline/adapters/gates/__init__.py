"""Where concurrency groups are kept."""
