"""A node of this machine, brought to a place that does not see this machine: a container."""

from __future__ import annotations

import tempfile
from pathlib import Path

from trunkline.adapters.toolchains.externals import is_portable
from trunkline.ports.actions import ActionJob
from trunkline.ports.sandbox import Folder
from trunkline.ports.toolchains import NodeProgram

# The programs of a node's packages: what starts each, below `lib/node_modules`.
STARTERS = {
    "npm": {"npm": "npm/bin/npm-cli.js", "npx": "npm/bin/npx-cli.js"},
    "corepack": {"corepack": "corepack/dist/corepack.js"},
}


def can_be_brought(node: NodeProgram) -> bool:
    """Tell whether a node and its npm are whole: a distribution's need libraries of their own."""
    own = Path(node.npm, "node_modules/semver")
    return bool(node.npm) and own.is_dir() and not own.is_symlink() and is_portable(node.path)


def bring(node: NodeProgram, folder: str, job: ActionJob) -> None:
    """Put a node with npm, and corepack where there is one, into a folder of the job."""
    with Path(node.path).open("rb") as program:
        job.sandbox.put(f"{folder}/bin/node", program, 0o755)
    packages = [Path(node.npm), Path(node.npm).with_name("corepack")]
    present = [package for package in packages if package.is_dir()]
    for package in present:
        target = f"{folder}/lib/node_modules/{package.name}"
        job.sandbox.put(target, Folder(path=str(package.resolve())))
    with tempfile.TemporaryDirectory(prefix="trunkline-") as links:
        for package in present:
            for name, starter in STARTERS[package.name].items():
                Path(links, name).symlink_to(f"../lib/node_modules/{starter}")
        job.sandbox.put(f"{folder}/bin", Folder(path=links))
