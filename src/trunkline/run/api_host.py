"""GitHub's own hosts of its API, and how node is led from them to the services of a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from trunkline.run.server_host import GITHUB, SCHEME_AND_HOST

# What stands for a host in the services' addresses: REST, uploads of assets.
HOSTS: Mapping[str, str] = {"api.github.com": "/api/v3", "uploads.github.com": "/api/uploads"}
# Loaded into node before an action: a connection that would go to one of the hosts by TLS goes to
# the services. Agents of `https`, `fetch` and the undici in actions all begin with `tls.connect`.
SHIM = """\
'use strict';
const net = require('node:net');
const tls = require('node:tls');
const hosts = new Set(%s);
const here = new URL(%s);
const ownConnect = tls.connect;
tls.connect = function connect(...args) {
  const asked = args.find((each) => each !== null && typeof each === 'object') || {};
  if (!hosts.has(String(asked.servername || asked.host || '').toLowerCase())) {
    return ownConnect.apply(this, args);
  }
  if (asked.socket) asked.socket.destroy();
  const host = here.hostname.replace(/^\\[|\\]$/g, '');
  const socket = net.connect({ host, port: Number(here.port) || 80 });
  Object.assign(socket, {
    alpnProtocol: false,
    authorizationError: null,
    authorized: true,
    encrypted: true,
    getCipher: () => ({ name: 'TLS_AES_128_GCM_SHA256', version: 'TLSv1.3' }),
    getPeerCertificate: () => ({}),
    getPeerX509Certificate: () => undefined,
    getProtocol: () => 'TLSv1.3',
    getSession: () => undefined,
    isSessionReused: () => false,
  });
  const told = args.find((each) => typeof each === 'function');
  if (told) socket.once('secureConnect', told);
  socket.once('connect', () => socket.emit('secureConnect'));
  return socket;
};
require('node:module').syncBuiltinESMExports();
"""


def hosts_of(server_url: str) -> tuple[str, ...]:
    """Return the hosts of a server's API that node is led from: those of github.com alone.

    Other servers' actions ask GITHUB_API_URL, or would not work there either.
    """
    found = SCHEME_AND_HOST.match(server_url)
    return tuple(HOSTS) if found is not None and found[1].lower() == GITHUB else ()


def shim(hosts: Sequence[str], api_url: str) -> str:
    """Return the file that leads node from `hosts` to where `api_url` is."""
    return SHIM % tuple(msgspec.json.encode(each).decode() for each in (hosts, api_url))
