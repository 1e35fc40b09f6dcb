"""Counts visits in Redis, with no more than a socket."""

import os
import socket


class Counter:
    def __init__(self, host=None, port=None):
        self.address = (
            host or os.environ.get("REDIS_HOST", "localhost"),
            int(port or os.environ.get("REDIS_PORT", "6379")),
        )

    def visit(self, page):
        """Count one more visit of a page; return how many there were."""
        return self._ask("INCR", f"visits:{page}")

    def forget(self, page):
        """Begin again at 0; return whether the page was known."""
        return self._ask("DEL", f"visits:{page}") == 1

    def _ask(self, *words):
        parts = [f"*{len(words)}\r\n"]
        parts += [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
        with socket.create_connection(self.address, timeout=10) as connection:
            connection.sendall("".join(parts).encode())
            with connection.makefile("r", encoding="utf-8") as answers:
                answer = answers.readline().strip()
        if not answer.startswith(":"):
            raise RuntimeError(f"Redis answered {answer!r}")
        return int(answer[1:])
