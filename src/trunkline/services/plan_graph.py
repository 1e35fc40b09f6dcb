"""The jobs of a prospect as a graph: nodes in groups, edges from what is needed to who needs it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from trunkline.plan.forecast import JobForecast, RunForecast, Verdict
from trunkline.services.planning import Prospect


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A job with steps, or a call that has none of its own to show. `id` is `n1`, `n2`, ..."""

    id: str
    label: str
    verdict: Verdict
    detail: str = ""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow, or the jobs of a called one."""

    id: str
    label: str
    nodes: tuple[Node, ...] = ()
    groups: tuple[Group, ...] = ()

    def all_nodes(self) -> Iterator[Node]:
        """Yield the group's nodes, then those of the groups in it."""
        yield from self.nodes
        for group in self.groups:
            yield from group.all_nodes()


class Graph(msgspec.Struct, frozen=True, kw_only=True):
    """All started workflows. An edge is (needed, needing)."""

    groups: tuple[Group, ...]
    edges: tuple[tuple[str, str], ...]


def graph(found: Prospect, runs: Mapping[str, RunForecast]) -> Graph:
    """Return the graph of what would run; an edge to a call ends at the jobs it starts with."""
    builder = _Builder()
    groups = []
    for outlook in found.outlooks:
        run = runs.get(outlook.file)
        if run is not None:
            name = (outlook.workflow.name if outlook.workflow else None) or outlook.file
            groups.append(builder.group(name, run.jobs))
    return Graph(groups=tuple(groups), edges=tuple(builder.edges))


class _Builder:
    def __init__(self) -> None:
        self.count = 0
        self.edges: list[tuple[str, str]] = []
        self._needed: set[str] = set()
        self._needing: set[str] = set()

    def group(self, label: str, jobs: tuple[JobForecast, ...]) -> Group:
        """Return a group with the jobs, and record their edges."""
        group_id = self._id("g")
        nodes: dict[str, Node] = {}
        groups: dict[str, Group] = {}
        for job in jobs:
            if job.jobs:
                groups[job.id] = self.group(job.name, job.jobs)
            else:
                nodes[job.id] = self._node(job)
        inside = {name: [node.id for node in group.all_nodes()] for name, group in groups.items()}
        inside |= {name: [node.id] for name, node in nodes.items()}
        # So far edges are between jobs of one called workflow.
        starts = {name: [n for n in ids if n not in self._needing] for name, ids in inside.items()}
        ends = {name: [n for n in ids if n not in self._needed] for name, ids in inside.items()}
        for job in jobs:
            for need in job.needs:
                self._add((end, start) for end in ends[need] for start in starts[job.id])
        return Group(
            id=group_id,
            label=label,
            nodes=tuple(nodes.values()),
            groups=tuple(groups.values()),
        )

    def _add(self, edges: Iterable[tuple[str, str]]) -> None:
        for needed, needing in edges:
            self.edges.append((needed, needing))
            self._needed.add(needed)
            self._needing.add(needing)

    def _node(self, job: JobForecast) -> Node:
        legs = f" ({len(job.legs)} legs)" if len(job.legs) > 1 else ""
        many = " (matrix)" if job.matrix else legs
        return Node(
            id=self._id("n"), label=f"{job.name}{many}", verdict=job.verdict, detail=job.reason
        )

    def _id(self, kind: str) -> str:
        self.count += 1
        return f"{kind}{self.count}"
