"""What a registry answers when it can't: the specification's codes and their HTTP statuses."""

from __future__ import annotations

from typing import Any

from trunkline.base.errors import TrunklineError

# Code -> (status, message). The codes are the specification's; UNAVAILABLE and UNKNOWN are those
# that registries give for their own troubles (status 500 and above).
CODES = {
    "BLOB_UNKNOWN": (404, "blob unknown to registry"),
    "BLOB_UPLOAD_INVALID": (400, "blob upload invalid"),
    "BLOB_UPLOAD_UNKNOWN": (404, "blob upload unknown to registry"),
    "DIGEST_INVALID": (400, "provided digest did not match uploaded content"),
    "MANIFEST_BLOB_UNKNOWN": (400, "manifest references a manifest or blob unknown to registry"),
    "MANIFEST_INVALID": (400, "manifest invalid"),
    "MANIFEST_UNKNOWN": (404, "manifest unknown to registry"),
    "NAME_INVALID": (400, "invalid repository name"),
    "NAME_UNKNOWN": (404, "repository name not known to registry"),
    "SIZE_INVALID": (400, "provided length did not match content length"),
    "UNAUTHORIZED": (401, "authentication required"),
    "DENIED": (403, "requested access to the resource is denied"),
    "UNSUPPORTED": (405, "the operation is unsupported"),
    "TOOMANYREQUESTS": (429, "too many requests"),
    "UNAVAILABLE": (503, "service unavailable"),
    "UNKNOWN": (500, "unknown error"),
}


class RegistryError(TrunklineError):
    """A request that the registry refuses.

    `code` is one of CODES, `detail` what the client can use (any JSON). `status` is the HTTP
    status: the code's, unless the specification asks for another one in this place.
    """

    def __init__(
        self, code: str, message: str = "", *, detail: Any = None, status: int = 0
    ) -> None:
        usual, meaning = CODES[code]
        super().__init__(message or meaning)
        self.code = code
        self.detail = detail
        self.status = status or usual
