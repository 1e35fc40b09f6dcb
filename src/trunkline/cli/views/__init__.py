"""What people and programs see of a run while it goes on; each view is a reader of its records."""
