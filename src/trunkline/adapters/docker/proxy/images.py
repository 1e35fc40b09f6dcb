"""Pushes, pulls, logins and names of images, as a job's clients ask for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any
from urllib.parse import quote

import msgspec

from trunkline.adapters.docker.proxy.belongings import Belongings
from trunkline.adapters.docker.proxy.call import Call, without_login
from trunkline.adapters.docker.proxy.heads import Request
from trunkline.adapters.docker.proxy.login_files import forget_tokens, login_file
from trunkline.adapters.docker.proxy.logins import Logins, decoded_login, host_of
from trunkline.adapters.docker.publishing import Publisher, read_reference
from trunkline.adapters.docker.registry_logins import REHEARSAL_TOKEN
from trunkline.adapters.docker.wire import EngineRefused
from trunkline.base.errors import Unavailable
from trunkline.oci.hosts import is_this_machine

AUTH = "x-registry-auth"
CONFIG = "x-registry-config"
NOT_OURS = (
    "conflict: unable to remove {}: it was on this machine before the job, which did not make it"
)


class ImageRoutes:
    """Answers what the engine is asked about images and registries, for one job."""

    def __init__(
        self,
        publisher: Publisher,
        outside: Callable[[str], str | None],
        belongings: Belongings,
    ) -> None:
        self._publisher = publisher
        self._outside = outside
        self._belongings = belongings
        self._logins = Logins()

    # --- POST /images/{name}/push, /images/create ---------------------------------------

    def push(self, call: Call, name: str) -> bool:
        """Push a tag, or all of them without a tag."""
        login = decoded_login(call.request.get(AUTH))
        tag = call.request.query.get("tag", "")
        stream = call.stream()
        try:
            if tag or _has_target(name):
                self._publisher.push(joined(name, tag), self._meant(login, name), stream.tell)
            else:
                self._publisher.push_all(name, self._meant(login, name), stream.tell)
        except Unavailable as error:
            if not stream.has_begun:
                return call.refuse(error.message, _status(error))
            stream.fail(error.message)
        return stream.end()

    def pull(self, call: Call) -> bool:
        """Pull from the local registry what a rehearsal pushed, else as asked."""
        query = call.request.query
        name = query.get("fromImage", "")
        reference = joined(name, query.get("tag", ""))
        own = joined(query.get("repo", ""), query.get("tag", ""))  # of an import
        self.name_images([reference if name else own])
        is_whole = bool(name) and (bool(query.get("tag")) or _has_target(name))
        if not is_whole or not self._publisher.is_kept(reference):
            return call.forward(self._with_real_login(call.request, name))
        stream = call.stream()
        try:
            self._publisher.pull(reference, {}, stream.tell, query.get("platform", ""))
        except Unavailable as error:
            if not stream.has_begun:
                return call.refuse(error.message, _status(error))
            stream.fail(error.message)
        return stream.end()

    # --- POST /auth, GET /distribution/{name}/json --------------------------------------

    def login(self, call: Call) -> bool:
        """Let every login to another machine's registry succeed, without asking it."""
        sent = call.json()
        server = str((sent or {}).get("serveraddress", ""))
        host = host_of(server)
        if sent is None or not self._publisher.is_rehearsal or is_this_machine(host):
            return call.forward()
        self._logins.remember({key: str(value) for key, value in sent.items()})
        # The client writes the login down once it has the answer, and then ends.
        if path := login_file(call.client.socket, self._outside):
            call.client.at_end.append(partial(forget_tokens, path))
        status = f"Login Succeeded (rehearsal: {host} was not asked)"
        return call.answer({"Status": status, "IdentityToken": REHEARSAL_TOKEN})

    def distribution(self, call: Call, name: str) -> bool:
        """Describe an image in its registry."""
        there = self._publisher.kept_name(name)
        if not there:
            return call.forward(self._with_real_login(call.request, name))
        try:
            return call.answer(call.wire.call("GET", f"/distribution/{quote(there)}/json"))
        except EngineRefused as error:
            return call.refuse(error.message, _status(error))

    # --- names that the engine does not know, or that nobody is to see -------------------

    def named(self, call: Call, name: str) -> bool:
        """Let the engine find an image by a digest that only we know."""
        found = self._publisher.known_id(name)
        if not found:
            return call.forward()
        target = call.request.target.replace(_written(call.request, name), quote(found), 1)
        return call.forward(msgspec.structs.replace(call.request, target=target))

    def tag(self, call: Call, name: str) -> bool:
        """Give an image another name, which is the job's."""
        query = call.request.query
        self.name_images([joined(query.get("repo", ""), query.get("tag", ""))])
        return self.named(call, name)

    def load(self, call: Call) -> bool:
        """Load images from an archive; those that were not here are the job's."""
        self.name_images(())
        return call.forward()

    def remove(self, call: Call, name: str) -> bool:
        """Remove an image, or one of its names, unless it was here before the job."""
        self.name_images(())
        if not self._belongings.may_remove_image(self._publisher.known_id(name) or name):
            return call.refuse(NOT_OURS.format(name), 409)
        return self.named(call, name)

    def name_images(self, names: Iterable[str]) -> None:
        """Hear what names the job gives to images, before the engine does."""
        self._belongings.look_at_images()
        self._belongings.name_images(name for name in names if name)

    def inspect(self, call: Call, name: str) -> bool:
        """Describe an image, with the digests of its pushes and pulls here."""
        if not self._publisher.has_names:
            return call.forward()
        asked = self._publisher.known_id(name) or name
        try:
            found = call.wire.call("GET", f"/images/{quote(asked)}/json", call.request.query)
        except EngineRefused as error:
            return call.refuse(error.message, _status(error))
        return call.answer(self._renamed(found))

    def list(self, call: Call) -> bool:
        """List images, with the digests of their pushes and pulls here."""
        if not self._publisher.has_names:
            return call.forward()
        try:
            found = call.wire.call("GET", "/images/json", call.request.query)
        except EngineRefused as error:
            return call.refuse(error.message, _status(error))
        return call.answer([self._renamed(image) for image in found or ()])

    def _renamed(self, image: dict[str, Any]) -> dict[str, Any]:
        publisher = self._publisher
        tags = [name for name in image.get("RepoTags") or () if not publisher.is_temporary(name)]
        digests = [n for n in image.get("RepoDigests") or () if not publisher.is_temporary(n)]
        # The first is the one that scripts take.
        own = publisher.known_digests(str(image.get("Id", "")))
        others = [name for name in digests if name not in own]
        return {**image, "RepoTags": tags, "RepoDigests": [*own, *others]}

    # --- logins -------------------------------------------------------------------------

    def with_real_logins(self, request: Request) -> Request:
        """Return a build's request with the logins that the script meant."""
        sent = request.get(CONFIG)
        if not sent or not self._publisher.is_rehearsal:
            return request
        fields = tuple(
            (name, self._logins.table(value) if name.lower() == CONFIG else value)
            for name, value in request.fields
        )
        return msgspec.structs.replace(request, fields=fields)

    def _with_real_login(self, request: Request, name: str) -> Request:
        sent = request.get(AUTH)
        if not sent:
            return request
        return without_login(request, self._logins.header(sent, _host(name)))

    def _meant(self, login: dict[str, str], name: str) -> dict[str, str]:
        return dict(self._logins.real(login, _host(name)))


def joined(name: str, tag: str) -> str:
    """Return a reference of the Engine API's two parts; `tag` may be a digest."""
    if not tag:
        return name
    return f"{name}@{tag}" if ":" in tag else f"{name}:{tag}"


def pushes_by_itself(request: Request) -> bool:
    """Tell whether a build's `outputs` would have the engine's builder push by itself."""
    outputs = request.query.get("outputs", "").lower().replace(" ", "")
    return '"push":"true"' in outputs or '"type":"registry"' in outputs


def _has_target(name: str) -> bool:
    return "@" in name or ":" in name.rpartition("/")[2]


def _host(name: str) -> str:
    try:
        return read_reference(name).host
    except Unavailable:
        return ""


def _written(request: Request, name: str) -> str:
    """Return an image's name as the request's target has it, encoded or not."""
    path = request.target.partition("?")[0]
    return next((form for form in (name, quote(name), quote(name, safe="")) if form in path), name)


def _status(error: Unavailable) -> int:
    status = error.status if isinstance(error, EngineRefused) else 500
    return status if status >= 400 else 500
