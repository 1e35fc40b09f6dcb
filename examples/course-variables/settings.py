"""Reads what the deployment was told through its environment."""

import os

from dotenv import load_dotenv

load_dotenv()
VERSION = os.environ.get("VERSION", "unknown")
