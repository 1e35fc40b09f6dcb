"""The C library's functions."""

from __future__ import annotations

from ctypes import CDLL, POINTER, byref, c_int, c_long
from pathlib import Path


def _library() -> CDLL:
    here = Path(__file__).resolve().parent.parent
    found = CDLL(str(here / "bin" / "libcalc.so"))
    for function in (found.calc_add, found.calc_multiply):
        function.argtypes, function.restype = (c_long, c_long), c_long
    found.calc_divide.argtypes = (c_long, c_long, POINTER(c_int))
    found.calc_divide.restype = c_long
    return found


_LIBRARY = _library()


def add(a: int, b: int) -> int:
    """Return a + b."""
    found: int = _LIBRARY.calc_add(a, b)
    return found


def multiply(a: int, b: int) -> int:
    """Return a * b."""
    found: int = _LIBRARY.calc_multiply(a, b)
    return found


def divide(a: int, b: int) -> int:
    """Return a / b, cut off. Raises ZeroDivisionError."""
    ok = c_int()
    found: int = _LIBRARY.calc_divide(a, b, byref(ok))
    if not ok.value:
        raise ZeroDivisionError("division by zero")
    return found
