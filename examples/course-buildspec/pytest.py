#!/usr/bin/env python3
"""Tests the C library through its Python package."""

import subprocess
import unittest

import pycalc


class Calculations(unittest.TestCase):
    """What the library promises."""

    def test_adds(self) -> None:
        assert pycalc.add(40, 2) == 42

    def test_multiplies(self) -> None:
        assert pycalc.multiply(6, 7) == 42

    def test_divides(self) -> None:
        assert pycalc.divide(85, 2) == 42

    def test_refuses_to_divide_by_zero(self) -> None:
        try:
            pycalc.divide(1, 0)
        except ZeroDivisionError:
            return
        self.fail("it divided")

    def test_the_program_adds_too(self) -> None:
        assert subprocess.check_output(["bin/calc", "40", "2"]) == b"42\n"


if __name__ == "__main__":
    unittest.main()
