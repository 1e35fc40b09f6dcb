"""What is told of an engine that was there and is gone."""

from __future__ import annotations

import errno
import os
from http.client import RemoteDisconnected

import pytest
from requests.exceptions import ConnectionError as NoConnection
from urllib3.exceptions import ProtocolError

from trunkline.adapters.docker.engine import GONE, refusals
from trunkline.base.errors import Unavailable


def ask(reason: Exception) -> None:
    """Fail as the library does, in the midst of something else that has failed."""
    wrapped = ProtocolError("Connection aborted.", reason)
    wrapped.__context__ = reason
    reason.__context__ = KeyError("something else")
    with refusals():
        raise NoConnection(wrapped) from wrapped


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)), "No such file or directory"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "Connection refused"),
        (RemoteDisconnected("Remote end closed connection"), "Remote end closed connection"),
    ],
)
def test_why_it_does_not_answer_is_told_in_plain_words(reason: Exception, text: str) -> None:
    with pytest.raises(Unavailable) as raised:
        ask(reason)
    assert raised.value.message == f"{GONE}: {text}"
    assert "trunkline run" in raised.value.hint
