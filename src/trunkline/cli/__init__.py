"""One file a verb; main(argv) -> exit code."""
