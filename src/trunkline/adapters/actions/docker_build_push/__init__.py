"""docker/build-push-action: images by Buildx when the job has it, by the Engine's own builder else."""
