"""A calculator on the web: `/add/40/2` answers 42."""

from __future__ import annotations

import pycalc
from flask import Flask, Response, jsonify

application = Flask(__name__)


@application.get("/add/<int(signed=True):a>/<int(signed=True):b>")
def add(a: int, b: int) -> Response:
    """Answer with a + b."""
    return jsonify(result=pycalc.add(a, b))


if __name__ == "__main__":
    application.run(host="0.0.0.0", port=8080)
