"""Port: parameters and secrets that a cloud keeps, by name."""

from __future__ import annotations

from typing import Protocol


class Parameters(Protocol):
    """Fetches values with the caller's own credentials, region by region.

    Raises Unavailable, in the cloud's words, when there are no credentials, when a name is
    unknown, or when access is denied.
    """

    def parameter(self, name: str, region: str) -> str:
        """Return a parameter of AWS Systems Manager's store, decrypted."""
        ...

    def secret(self, name: str, region: str, *, stage: str = "", version: str = "") -> str:
        """Return the text of a secret of AWS Secrets Manager (no stage, no version: AWSCURRENT)."""
        ...
