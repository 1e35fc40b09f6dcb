"""Where a job's pushes go, and where its pulls come from: a rehearsal never publishes."""

from __future__ import annotations

import re
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from trunkline.adapters.docker.registry_logins import REHEARSAL_TOKEN
from trunkline.adapters.docker.wire import EngineRefused, Message, Wire
from trunkline.base.errors import Unavailable
from trunkline.oci.hosts import is_this_machine
from trunkline.oci.references import (
    ImageReference,
    InvalidReference,
    local_repository,
    parse_reference,
)
from trunkline.ports.containers import ImagePush
from trunkline.ports.kept_images import KeptImages

# Takes the progress messages of a push or a pull, in the Engine API's form.
Tell = Callable[[Message], None]

TOLD_DIGEST = re.compile(r"\S+: digest: (sha256:[0-9a-f]{64}) size: \d+")
NOT_LOCALLY = "An image does not exist locally with the tag"
LIBPOD_PULL = "/v4.0.0/libpod/images/pull"
UNREACHED = (
    "The engine must reach the local registry on this machine's loopback address: one that is "
    "elsewhere, or rootless Docker in a network namespace of its own, does not."
)
NO_LOGIN: Mapping[str, str] = {}


class Turns:
    """Whose turn a name is: the engine has each once, and the jobs of a process share them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: dict[str, threading.Lock] = {}

    def of(self, name: str) -> threading.Lock:
        """Return what is held as long as a name must mean the same."""
        with self._lock:
            return self._names.setdefault(name, threading.Lock())


TURNS = Turns()


class Publisher:
    """One job's pushes and pulls. Thread-safe.

    `kept` is the registry of this machine; None when the job may publish (`--publish`): everything
    then goes where it says. So does what names this machine itself (`localhost:5000/x`).
    A login is the Engine API's AuthConfig: username, password, serveraddress, identitytoken.
    """

    def __init__(self, wire: Wire, kept: KeptImages | None) -> None:
        self._wire = wire
        self._kept = kept
        self._lock = threading.Lock()
        self._listeners: list[Callable[[ImagePush], None]] = []
        # Names by digest (`ghcr.io/o/n@sha256:...`) that only we know, and the images' ids.
        self._ids: dict[str, str] = {}
        # What images were built on, by the names that their builds gave them.
        self._bases: dict[str, str] = {}
        # Names in the engine that go at the job's end.
        self._temporary: set[str] = set()

    @property
    def is_rehearsal(self) -> bool:
        """Tell whether pushes stay on this machine."""
        return self._kept is not None

    def listen(self, told: Callable[[ImagePush], None]) -> None:
        """Say who hears of every push."""
        with self._lock:
            self._listeners.append(told)

    # --- pushing ------------------------------------------------------------------------

    def push(
        self, reference: str, login: Mapping[str, str], tell: Tell, meant: str = ""
    ) -> ImagePush:
        """Push an image; its last message says where it went. Raises Unavailable.

        `meant` is the image's id, where another job may have given its name to another one since.
        """
        name = read_reference(reference)
        kept = self._keeper(name)
        image = (self._id(meant) if meant else None) or self._id(_tagged(name))
        if kept is not None:
            done = self._keep(kept, name, image, tell)
        else:
            done = self._push_there(name, image, login, tell)
        done = replace(done, base=self._base(done.image_id))
        with self._lock:
            listeners = tuple(self._listeners)
        for told in listeners:
            told(done)
        return done

    def built(self, names: Iterable[str], base: str) -> None:
        """Remember what the images of a build are built on: whoever saw its Dockerfile knows."""
        with self._lock:
            self._bases.update(dict.fromkeys(names, base))

    def _base(self, image: str) -> str:
        """Return what an image was built on, '' when its build was not seen."""
        with self._lock:
            bases = dict(self._bases)
        return next((base for name, base in bases.items() if self._id(name) == image), "")

    def push_all(self, repository: str, login: Mapping[str, str], tell: Tell) -> None:
        """Push every tag that the engine has of a repository. Raises Unavailable."""
        name = read_reference(repository)
        tags = self._tags(name)
        if not tags:
            raise Unavailable(f"{NOT_LOCALLY}: {_shown(name)}")
        for tag in tags:
            self.push(f"{name.name}:{tag}", login, tell)

    def _tags(self, name: ImageReference) -> list[str]:
        query = {"filters": _json({"reference": [_shown(name)]})}
        listed = self._wire.call("GET", "/images/json", query)
        names = {text for image in listed or () for text in image.get("RepoTags") or ()}
        found = [read_reference(text) for text in names if not text.startswith("<none>")]
        return sorted(each.tag for each in found if each.name == name.name)

    def _push_there(
        self, name: ImageReference, image: str | None, login: Mapping[str, str], tell: Tell
    ) -> ImagePush:
        tag = name.tag or "latest"
        with TURNS.of(_tagged(name)):
            if image is not None:
                self._tag(image, name.name, tag)
            digest = self._pushed(name.name, tag, login, tell)
        return ImagePush(reference=_shown(name), digest=digest, image_id=image or "")

    def _keep(
        self, kept: KeptImages, name: ImageReference, image: str | None, tell: Tell
    ) -> ImagePush:
        """Push to the local registry, through a name of it that the engine has meanwhile."""
        repository, tag = _local(name), name.tag or "latest"
        there = f"{kept.address()}/{repository}"
        tell({"status": f"The push refers to repository [{name.name}]"})
        if image is None:
            raise EngineRefused(f"{NOT_LOCALLY}: {_shown(name)}")
        try:
            told = self._push_copy(image, there, tag, _renaming(tell, there, name))
        except Unavailable as error:
            raise _renamed(error, there, name.name) from error
        # By now the tag may be that of a later push.
        digest = (told and kept.find(repository, told)) or kept.find(repository, tag)
        self._know(f"{name.name}@{digest}", image)
        tell({"status": _told_kept(name, repository, tag, digest)})
        return ImagePush(
            reference=_shown(name),
            digest=digest,
            kept_as=f"{repository}:{tag}",
            image_id=image,
            size=kept.size(repository, digest),
        )

    def _push_copy(self, image: str, repository: str, tag: str, tell: Tell) -> str:
        copy = f"{repository}:{tag}"
        with self._lock:
            self._temporary.add(copy)
        with TURNS.of(copy):
            try:
                self._tag(image, repository, tag)
                return self._pushed(repository, tag, NO_LOGIN, tell)
            finally:
                self._untag(copy)

    def _pushed(self, repository: str, tag: str, login: Mapping[str, str], tell: Tell) -> str:
        """Push a name and return the manifest's digest; '' when the engine does not tell it."""
        digest = ""
        path = f"/images/{quote(repository)}/push"
        query = {"tag": tag, **self._security(repository)}
        for message in self._wire.stream("POST", path, query, encoded_login(login)):
            digest = _digest_told(message) or digest
            tell(message)
        return digest

    # --- pulling ------------------------------------------------------------------------

    def is_kept(self, reference: str) -> bool:
        """Tell whether a pull of this reference comes from the local registry."""
        try:
            name = read_reference(reference)
        except Unavailable:
            return False
        kept = self._keeper(name)
        return kept is not None and bool(kept.find(_local(name), name.target))

    def pull(self, reference: str, login: Mapping[str, str], tell: Tell, platform: str = "") -> str:
        """Have an image here, by tag or digest, and return its id. Raises Unavailable.

        What a rehearsal pushed comes before what the real registry has.
        """
        name = read_reference(reference)
        if not self.is_kept(reference):
            self._pull(name.name, name.target, login, tell, platform)
            return self._id(name.text) or ""
        return self._bring(name, tell, platform)

    def _bring(self, name: ImageReference, tell: Tell, platform: str) -> str:
        kept = self._kept
        if kept is None:
            raise Unavailable(f"{_shown(name)} is not kept here.")
        repository = _local(name)
        there = f"{kept.address()}/{repository}"
        copy = f"{there}@{name.digest}" if name.digest else f"{there}:{name.target}"
        with self._lock:
            self._temporary.add(copy)
        with TURNS.of(copy):
            try:
                renaming = _renaming(tell, there, name)
                if self._is_podman():
                    self._pull_by_podman(copy, renaming, platform)
                else:
                    self._pull(there, name.target, NO_LOGIN, renaming, platform)
            except Unavailable as error:
                raise _renamed(error, there, name.name) from error
            image = self._id(copy) or ""
            self._know(f"{name.name}@{kept.find(repository, name.target)}", image)
            if not name.digest:
                self._tag(image, name.name, name.target)
                self._untag(copy)
        tell({"status": _told_taken(name, repository)})
        return image

    def _pull(
        self, name: str, target: str, login: Mapping[str, str], tell: Tell, platform: str
    ) -> None:
        query = {"fromImage": name, "tag": target, **self._security(name)}
        if login.get("identitytoken") == REHEARSAL_TOKEN:
            login = NO_LOGIN
        if platform:
            query["platform"] = platform
        for message in self._wire.stream("POST", "/images/create", query, encoded_login(login)):
            tell(message)

    def _pull_by_podman(self, copy: str, tell: Tell, platform: str) -> None:
        """Pull over plain HTTP, which Podman does by its own API alone (`libpod`)."""
        query = {"reference": copy, "tlsVerify": "false"}
        parts = ("OS", "Arch", "Variant")
        query |= dict(zip(parts, platform.split("/"), strict=False)) if platform else {}
        for message in self._wire.stream("POST", LIBPOD_PULL, query):
            if message.get("stream"):
                tell({"status": str(message["stream"]).rstrip()})

    def _is_podman(self) -> bool:
        parts = self._wire.call("GET", "/version").get("Components") or ()
        return any("podman" in str(part.get("Name", "")).lower() for part in parts)

    # --- names that only we know --------------------------------------------------------

    @property
    def has_names(self) -> bool:
        """Tell whether the engine's names of images and ours differ."""
        with self._lock:
            return bool(self._ids or self._temporary)

    def kept_name(self, reference: str) -> str:
        """Return the name in the local registry of what a reference stands for, '' if not kept."""
        if self._kept is None or not self.is_kept(reference):
            return ""
        name = read_reference(reference)
        by = f"@{name.digest}" if name.digest else f":{name.target}"
        return f"{self._kept.address()}/{_local(name)}{by}"

    def known_id(self, reference: str) -> str:
        """Return the id of an image that was pushed or pulled here under this digest, else ''.

        The engine itself knows digests only under the names of the registries that it spoke to.
        """
        try:
            name = read_reference(reference)
        except Unavailable:
            return ""
        with self._lock:
            return self._ids.get(f"{name.name}@{name.digest}", "") if name.digest else ""

    def known_digests(self, image: str) -> tuple[str, ...]:
        """Return the names by digest, as Docker shows them, that the image with this id has."""
        with self._lock:
            names = sorted(name for name, found in self._ids.items() if found == image)
        return tuple(_shown(read_reference(name)) for name in names)

    def is_temporary(self, name: str) -> bool:
        """Tell whether a name of the engine's images is one that we made on the way."""
        if self._kept is None:
            return False
        with self._lock:
            hosts = {each.partition("/")[0] for each in self._temporary}
        return name.partition("/")[0] in hosts

    def close(self) -> None:
        """Remove the names that were made on the way, at the job's end. Raises Unavailable."""
        with self._lock:
            names = sorted(self._temporary)
        for name in names:
            self._untag(name)

    def _know(self, by_digest: str, image: str) -> None:
        with self._lock:
            self._ids[by_digest] = image

    def _keeper(self, name: ImageReference) -> KeptImages | None:
        return None if is_this_machine(name.host) else self._kept

    # --- the engine ---------------------------------------------------------------------

    def _id(self, reference: str) -> str | None:
        """Return an image's id, None when it is not here."""
        try:
            found = self._wire.call("GET", f"/images/{quote(reference)}/json")
        except EngineRefused as error:
            if error.status == 404:
                return None
            raise
        return str(found["Id"])

    def _security(self, repository: str) -> Mapping[str, str]:
        """Let Podman speak plain HTTP to loopback, as Docker does without being told."""
        host = repository.partition("/")[0]
        return {"tlsVerify": "false"} if is_this_machine(host) else {}

    def _tag(self, image: str, repository: str, tag: str) -> None:
        query = {"repo": repository, "tag": tag}
        self._wire.call("POST", f"/images/{quote(image)}/tag", query)

    def _untag(self, name: str) -> None:
        """Take a name away; the image goes as well when nothing else names it."""
        try:
            self._wire.call("DELETE", f"/images/{quote(name)}")
        except EngineRefused as error:
            if error.status != 404:
                raise
        with self._lock:
            self._temporary.discard(name)


def _digest_told(message: Message) -> str:
    """Return the digest that a message of a push tells, '' for any other message.

    Podman, and engines that keep images with containerd, say it in words alone.
    """
    aux = message.get("aux")
    if isinstance(aux, dict) and aux.get("Digest"):
        return str(aux["Digest"])
    found = TOLD_DIGEST.fullmatch(str(message.get("status", "")))
    return found[1] if found else ""


def read_reference(text: str) -> ImageReference:
    """Read a reference. Raises Unavailable, in Docker's words."""
    try:
        return parse_reference(text)
    except InvalidReference as error:
        raise EngineRefused(str(error), 400) from error


def encoded_login(login: Mapping[str, object]) -> str:
    """Return the X-Registry-Auth of a login; the engine wants one for a push even without."""
    return urlsafe_b64encode(msgspec.json.encode(dict(login))).decode("ascii")


def _local(name: ImageReference) -> str:
    try:
        return local_repository(name)
    except InvalidReference as error:
        raise EngineRefused(str(error), 400) from error


def _tagged(name: ImageReference) -> str:
    return f"{name.name}:{name.tag or 'latest'}"


def _shown(name: ImageReference) -> str:
    return name.familiar


def _told_kept(name: ImageReference, repository: str, tag: str, digest: str) -> str:
    return (
        f"Rehearsal: pushed to the local registry as {repository}:{tag} ({digest}), "
        f"not to {name.host}; --publish sends it there"
    )


def _told_taken(name: ImageReference, repository: str) -> str:
    by = f"@{name.digest}" if name.digest else f":{name.target}"
    return f"Rehearsal: taken from the local registry as {repository}{by}, not from {name.host}"


def _renaming(tell: Tell, there: str, name: ImageReference) -> Tell:
    """Return a teller that names the image as it was asked for, where the engine says `there`."""
    pulling = f"Pulling from {there.partition('/')[2]}"

    def told(message: Message) -> None:
        texts = {key: message[key] for key in ("status", "id") if key in message}
        shown = {key: str(text).replace(there, name.name) for key, text in texts.items()}
        if shown.get("status") == pulling:
            shown["status"] = f"Pulling from {name.repository}"
        if not shown.get("status", "").startswith("The push refers to"):  # that was told before
            tell({**message, **shown})

    return told


def _renamed(error: Unavailable, there: str, name: str) -> Unavailable:
    text = error.message.replace(there, name)
    if "connection refused" in text:
        text = f"{text}. {UNREACHED}"  # clients of the engine show the message alone
    renamed = EngineRefused(text, error.status if isinstance(error, EngineRefused) else 200)
    renamed.hint = error.hint
    return renamed


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
