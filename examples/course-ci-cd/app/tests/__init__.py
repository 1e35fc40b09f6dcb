"""The tests that the pipeline runs."""
