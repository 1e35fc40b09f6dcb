"""From `uses:` to something that can run: a native action, or an action's own files."""

from __future__ import annotations

import posixpath
from collections.abc import Callable

import msgspec

from trunkline.base.diagnostics import Severity
from trunkline.base.errors import ActionUnavailable
from trunkline.document.limits import MOST_BYTES
from trunkline.engine.scopes import ActionIdentity
from trunkline.ports.actions import NativeAction, NativeActions
from trunkline.ports.forge import Forge
from trunkline.ports.sandbox import Folder, Layout, Sandbox
from trunkline.run.job_request import JobRequest
from trunkline.workflow.model import Action, DockerRuns, UsesStep
from trunkline.workflow.reading import ReadAction

# Runner: composite actions nest at most nine levels deep (reference section 3.10).
MAX_DEPTH = 9
MANIFESTS = ("action.yml", "action.yaml")
DOCKERFILES = ("Dockerfile", "dockerfile")
DOCKER = "docker://"


class Native(msgspec.Struct, frozen=True):
    """An action that Trunkline carries out itself."""

    repository: str
    ref: str
    action: NativeAction


class Files(msgspec.Struct, frozen=True):
    """An action whose files lie in the sandbox at `folder`; `local` ones came with the workspace."""

    repository: str
    ref: str
    folder: str
    action: Action
    local: bool

    @property
    def identity(self) -> ActionIdentity:
        """What the action's own steps see of it."""
        return ActionIdentity(self.repository, self.ref, self.folder)


class Image(msgspec.Struct, frozen=True):
    """An image that a step names itself: `uses: docker://alpine:3`."""

    image: str
    repository: str = ""
    ref: str = ""


Loaded = Native | Files | Image


class Reference(msgspec.Struct, frozen=True):
    """A parsed `owner/name[/path]@ref`."""

    repository: str
    path: str
    ref: str


def parse_reference(uses: str) -> Reference:
    """Take `owner/name[/path]@ref` apart. The workflow floor has checked its form already."""
    name, _, ref = uses.partition("@")
    parts = name.split("/")
    return Reference("/".join(parts[:2]), "/".join(parts[2:]), ref)


def is_local(uses: str) -> bool:
    """Tell whether `uses` names a folder of the workspace."""
    return uses.startswith(("./", ".\\")) or uses == "."


def check_depth(depth: int) -> None:
    """Refuse composite actions that nest too deeply, or in themselves. Raises ActionUnavailable."""
    if depth > MAX_DEPTH:
        raise ActionUnavailable(f"Composite action depth exceeded max depth {MAX_DEPTH}")


def is_docker(uses: str) -> bool:
    """Tell whether `uses` names an image."""
    return uses.startswith(DOCKER)


class ActionLoader:
    """Loads a job's actions; one loader a job, and every reference is loaded once."""

    def __init__(
        self,
        request: JobRequest,
        sandbox: Sandbox,
        layout: Layout,
        sources: Sources,
        unwanted: Callable[[], bool],
    ) -> None:
        """Take whose actions to load, from where; `unwanted` tells that the job was cancelled."""
        self._unwanted = unwanted
        self._request = request
        self._sandbox = sandbox
        self._layout = layout
        self._sources = sources
        self._loaded: dict[str, Loaded] = {}
        self._present: set[str] = set()
        self.fetched: list[str] = []

    def load_step(self, step: UsesStep, within: ActionIdentity | None = None) -> Loaded:
        """Return the action of a step; one that stands for steps is made of the step's inputs."""
        action = self._sources.expand(step)
        if action is None:
            return self.load(step.uses.value, within)
        reference = parse_reference(step.uses.value)
        folder = self._layout.workspace
        return Files(reference.repository, reference.ref, folder, action, local=False)

    def load(self, uses: str, within: ActionIdentity | None = None) -> Loaded:
        """Return the action that `uses` names. Raises ActionUnavailable.

        `within` is the composite action that says so: `$/` means its repository.
        """
        if is_local(uses):
            return self._load(uses, within)
        key = uses
        if uses.startswith("$/") and within is not None:
            key = f"{within.repository}@{within.ref}:{uses}"
        if key not in self._loaded:
            self._loaded[key] = self._load(uses, within)
        return self._loaded[key]

    def _load(self, uses: str, within: ActionIdentity | None) -> Loaded:
        if is_docker(uses):
            return Image(uses.removeprefix(DOCKER))
        if is_local(uses):
            folder = posixpath.normpath(
                posixpath.join(self._layout.workspace, uses.replace("\\", "/"))
            )
            return self._read(Reference("", posixpath.normpath(uses), ""), folder, local=True)
        if uses.startswith("$/"):
            return self._load_self(uses[2:], within)
        reference = parse_reference(uses)
        name = posixpath.join(reference.repository, reference.path).rstrip("/")
        native = self._sources.natives.find(name)
        if native is not None:
            return Native(name, reference.ref, native)
        return self._fetch(reference)

    def _fetch(self, reference: Reference) -> Loaded:
        root = self._root(reference.repository, reference.ref)
        if root not in self._present:
            fetched = self._sources.forge.fetch(reference.repository, reference.ref, self._unwanted)
            name = f"action repository '{reference.repository}@{reference.ref}'"
            found = f"Use {fetched.path} as {name}" if fetched.local else f"Download {name}"
            self.fetched.append(found if fetched.local else f"{found} (SHA:{fetched.sha})")
            self._sandbox.put(root, Folder(path=fetched.path))
            self._present.add(root)
        return self._read(reference, posixpath.join(root, reference.path).rstrip("/"), local=False)

    def _load_self(self, path: str, within: ActionIdentity | None) -> Loaded:
        """Load an action of the repository that holds the reference (reference section 1.8)."""
        if within is not None and within.repository:
            return self._fetch(Reference(within.repository, path, within.ref))
        source, forge = self._request.job.source, self._sources.forge
        reference = Reference(source.repository, path, source.sha or source.ref)
        own = self._sources.repository
        root = self._root(reference.repository, reference.ref)
        if own and source.repository == self._request.repository and root not in self._present:
            self._sandbox.put(root, Folder(path=own, files=forge.files(own)))
            self._present.add(root)
        return self._fetch(reference)

    def _root(self, repository: str, ref: str) -> str:
        return posixpath.join(self._layout.actions, repository, ref)

    def _read(self, reference: Reference, folder: str, *, local: bool) -> Loaded:
        for name in MANIFESTS:
            stream = self._sandbox.get(posixpath.join(folder, name))
            if stream is None:
                continue
            with stream:
                text = stream.read(MOST_BYTES).decode("utf-8-sig", "replace")
            action = self._parsed(text, self._shown(reference, name))
            return Files(reference.repository, reference.ref, folder, action, local)
        for name in DOCKERFILES:
            stream = self._sandbox.get(posixpath.join(folder, name))
            if stream is not None:
                stream.close()
                shown = self._shown(reference, name)
                action = Action(file=shown, runs=DockerRuns(image=name))
                return Files(reference.repository, reference.ref, folder, action, local)
        raise ActionUnavailable(
            f"Can't find 'action.yml', 'action.yaml' or 'Dockerfile' under '{folder}'. "
            "Did you forget to run actions/checkout before running your local action?"
        )

    def _parsed(self, text: str, file: str) -> Action:
        action, diagnostics = self._sources.read(text, file)
        errors = [found for found in diagnostics if found.severity is Severity.ERROR]
        if action is None or errors:
            raise ActionUnavailable("\n".join(found.text() for found in errors))
        return action

    def _shown(self, reference: Reference, name: str) -> str:
        """Return a manifest's path as the user knows it."""
        own = reference.repository in {"", self._request.repository}
        return posixpath.join("" if own else reference.repository, reference.path, name)


class Sources(msgspec.Struct, frozen=True):
    """Where actions come from, and what reads their `action.yml`.

    `repository` is the user's own folder ('' when unknown). `expand` returns the action that a step
    stands for when that depends on its inputs, else None; it raises ActionUnavailable.
    """

    forge: Forge
    natives: NativeActions
    read: ReadAction
    repository: str = ""
    expand: Callable[[UsesStep], Action | None] = lambda _: None
