"""A small object detection service."""
