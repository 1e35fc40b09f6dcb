"""The Engine API proxy of a job: what goes through it is redirected and labelled as the job's."""
