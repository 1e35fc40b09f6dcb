"""What can start in a graph of dependencies, and what waits for ever."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def unmet(needs: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    """Return the needs that never end, by who has them; nothing is left for those that can start.

    A need that is no key of `needs` never ends. Takes time in proportion to the graph.
    """
    waiting = {name: set(wanted) for name, wanted in needs.items()}
    dependents: dict[str, list[str]] = {}
    for name, wanted in waiting.items():
        for need in wanted:
            dependents.setdefault(need, []).append(name)
    ready = [name for name, wanted in waiting.items() if not wanted]
    while ready:
        done = ready.pop()
        for name in dependents.get(done, ()):
            waiting[name].discard(done)
            if not waiting[name]:
                ready.append(name)
    return {name: wanted for name, wanted in waiting.items() if wanted}
