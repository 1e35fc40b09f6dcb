"""Ways to draw a graph of jobs: Graphviz's dot, Mermaid, and SVG of our own."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from trunkline.plan.forecast import Verdict
from trunkline.services.plan_graph import Graph, Group, Node

# Verdict -> fill, border.
_COLOURS = {
    Verdict.RUNS: ("#ddf4ff", "#0969da"),
    Verdict.LATE: ("#fff8c5", "#9a6700"),
    Verdict.SKIPPED: ("#f6f8fa", "#8c959f"),
    Verdict.NOT_SELECTED: ("#f6f8fa", "#8c959f"),
    Verdict.NOWHERE: ("#fff1e5", "#bc4c00"),
    Verdict.FAILS: ("#ffebe9", "#cf222e"),
}
_WIDTH, _HEIGHT, _GAP_X, _GAP_Y, _MARGIN = 200, 34, 60, 18, 20
_CHARACTERS = 26


def dot(graph: Graph) -> str:
    """Return the graph in Graphviz's language."""
    lines = ["digraph plan {", "  rankdir=LR;", '  node [shape=box, style="rounded,filled"];']
    for group in graph.groups:
        lines += _dot_group(group, "  ")
    lines += [f"  {start} -> {end};" for start, end in graph.edges]
    return "\n".join([*lines, "}"]) + "\n"


def _dot_group(group: Group, indent: str) -> Iterator[str]:
    yield f"{indent}subgraph cluster_{group.id} {{"
    yield f"{indent}  label={_quoted(group.label)};"
    for node in group.nodes:
        fill, border = _COLOURS[node.verdict]
        tip = f", tooltip={_quoted(node.detail)}" if node.detail else ""
        yield (
            f"{indent}  {node.id} [label={_quoted(node.label)},"
            f' fillcolor="{fill}", color="{border}"{tip}];'
        )
    for inner in group.groups:
        yield from _dot_group(inner, indent + "  ")
    yield f"{indent}}}"


def _quoted(text: str) -> str:
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{plain}"'


def mermaid(graph: Graph) -> str:
    """Return the graph as a Mermaid flowchart."""
    lines = ["flowchart LR"]
    for group in graph.groups:
        lines += _mermaid_group(group, "  ")
    lines += [f"  {start} --> {end}" for start, end in graph.edges]
    for verdict, (fill, border) in _COLOURS.items():
        members = [
            node.id
            for group in graph.groups
            for node in group.all_nodes()
            if node.verdict is verdict
        ]
        if members:
            kind = verdict.replace("-", "_")
            lines.append(f"  classDef {kind} fill:{fill},stroke:{border},color:#1f2328")
            lines.append(f"  class {','.join(members)} {kind}")
    return "\n".join(lines) + "\n"


def _mermaid_group(group: Group, indent: str) -> Iterator[str]:
    yield f"{indent}subgraph {group.id}[{_entities(group.label)}]"
    for node in group.nodes:
        yield f"{indent}  {node.id}[{_entities(node.label)}]"
    for inner in group.groups:
        yield from _mermaid_group(inner, indent + "  ")
    yield f"{indent}end"


def _entities(text: str) -> str:
    """Quote a label; Mermaid knows entities with `#` for `&`."""
    plain = text.replace("#", "#35;").replace('"', "#quot;").replace("<", "#lt;")
    return f'"{plain}"'


def svg(graph: Graph) -> str:
    """Return a drawing: one band a workflow, a column for each layer of needs."""
    parts: list[str] = []
    top, width = _MARGIN, 0
    places: dict[str, tuple[int, int]] = {}
    for group in graph.groups:
        labels = dict(_labels(group, ""))
        layers = _layers(list(labels), graph.edges)
        parts.append(_text(_MARGIN, top + 14, group.label, "font-weight='bold'"))
        top += 28
        rows: dict[int, int] = {}
        for node_id, (node, label) in labels.items():
            layer = layers[node_id]
            row = rows.get(layer, 0)
            rows[layer] = row + 1
            x = _MARGIN + layer * (_WIDTH + _GAP_X)
            y = top + row * (_HEIGHT + _GAP_Y)
            places[node_id] = (x, y)
            parts.append(_box(node, label, x, y))
            width = max(width, x + _WIDTH + _MARGIN)
        top += max(rows.values(), default=0) * (_HEIGHT + _GAP_Y) + _MARGIN
    edges = [_curve(places[start], places[end]) for start, end in graph.edges]
    width = max(width, 2 * _MARGIN + _WIDTH)
    opening = (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{top}'"
        f" viewBox='0 0 {width} {top}' font-family='sans-serif' font-size='13'>"
    )
    return "\n".join(
        [
            opening,
            f"<rect width='{width}' height='{top}' fill='#ffffff'/>",
            *edges,
            *parts,
            "</svg>\n",
        ]
    )


def _labels(group: Group, prefix: str) -> Iterator[tuple[str, tuple[Node, str]]]:
    """Yield every node of a group; a called workflow's jobs are named after their call."""
    for node in group.nodes:
        yield node.id, (node, prefix + node.label)
    for inner in group.groups:
        yield from _labels(inner, f"{prefix}{inner.label} / ")


def _layers(nodes: list[str], edges: tuple[tuple[str, str], ...]) -> dict[str, int]:
    """Return each node's column: one after the last of what it needs."""
    needs: dict[str, list[str]] = {node: [] for node in nodes}
    for start, end in edges:
        if end in needs:
            needs[end].append(start)
    layers: dict[str, int] = {}
    waiting = list(reversed(nodes))
    while waiting:
        below = [need for need in needs[waiting[-1]] if need not in layers]
        if below:
            waiting += below
        else:
            node = waiting.pop()
            layers[node] = max((layers[need] + 1 for need in needs[node]), default=0)
    return layers


def _box(node: Node, label: str, x: int, y: int) -> str:
    fill, border = _COLOURS[node.verdict]
    shown = label if len(label) <= _CHARACTERS else label[: _CHARACTERS - 1] + "…"
    title = escape(f"{label}: {node.verdict}" + (f" ({node.detail})" if node.detail else ""))
    return (
        f"<g><title>{title}</title><rect x='{x}' y='{y}' width='{_WIDTH}' height='{_HEIGHT}'"
        f" rx='6' fill='{fill}' stroke='{border}'/>{_text(x + 10, y + 22, shown, '')}</g>"
    )


def _text(x: int, y: int, text: str, style: str) -> str:
    return f"<text x='{x}' y='{y}' fill='#1f2328' {style}>{escape(text)}</text>"


def _curve(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1 = start[0] + _WIDTH, start[1] + _HEIGHT // 2
    x2, y2 = end[0], end[1] + _HEIGHT // 2
    bend = _GAP_X // 2
    return (
        f"<path d='M {x1} {y1} C {x1 + bend} {y1}, {x2 - bend} {y2}, {x2} {y2}'"
        " fill='none' stroke='#8c959f' stroke-width='1.5'/>"
    )
