"""What a job's services refuse, in the words of Twirp."""

from __future__ import annotations


class Refused(Exception):
    """A call that is not done. `code` is a Twirp error code, `message` is for the client's log.

    Codes and their statuses: invalid_argument 400, unauthenticated 401, permission_denied 403,
    not_found 404, already_exists 409, failed_precondition 412, resource_exhausted 429.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
