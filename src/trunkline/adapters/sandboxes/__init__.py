"""Places where a job's steps run."""
