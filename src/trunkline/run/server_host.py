"""The hosts that actions take for GitHub's, and how others come to be taken for one."""

from __future__ import annotations

import re

SCHEME_AND_HOST = re.compile(r"https?://(?:[^/?#@]*@)?(\[[^\]/?#]*\]|[^:/?#]+)", re.IGNORECASE)
GITHUB = "github.com"
# Whose ends @actions/* and docker/actions-toolkit accept (reference, real actions, section 4).
ACCEPTED_ENDS = (".ghe.com", ".localhost")
# Loaded into node before an action: the question whether the server's own host ends in
# `.LOCALHOST` is answered with yes. Every other question is answered as always.
SHIM = """\
'use strict';
const server = new URL(process.env.GITHUB_SERVER_URL).hostname.toUpperCase();
const ownEndsWith = String.prototype.endsWith;
Object.defineProperty(String.prototype, 'endsWith', {
  configurable: true,
  writable: true,
  value: {
    endsWith(search, ...rest) {
      const asked = search === '.LOCALHOST' && rest.length === 0;
      return (asked && `${this}` === server) || ownEndsWith.call(this, search, ...rest);
    },
  }.endsWith,
});
"""


def is_accepted(server_url: str) -> bool:
    """Tell whether actions use the services of a server by its address alone.

    The rest is an Enterprise Server to them, on which upload-artifact 4 and later refuse to start
    and caches fall back to their old protocol.
    """
    found = SCHEME_AND_HOST.match(server_url)
    host = found[1].lower() if found else ""
    return host == GITHUB or host.endswith(ACCEPTED_ENDS)


def node_flags(server_url: str, shim: str) -> tuple[str, ...]:
    """Return what node is started with for an action of a server; `shim` is the path of SHIM."""
    is_named = SCHEME_AND_HOST.match(server_url) is not None
    return ("--require", shim) if is_named and not is_accepted(server_url) else ()
