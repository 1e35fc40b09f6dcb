"""The forms in which a secret may show up in output (reference section 3.19)."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable, Iterable

MASK = "***"

# The shortest part of a secret that PowerShell's error rendering may show on its own.
_SHORTEST_PART = 6
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")
_XML = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&apos;"))
_JSON = {code: f"\\u{code:04x}" for code in (*range(0x20), 0x85, 0x2028, 0x2029)} | {
    ord(character): f"\\{letter}"
    for character, letter in zip('"\\\b\f\n\r\t', '"\\bfnrt', strict=True)
}


def trimmed_lines(values: Iterable[str]) -> set[str]:
    """Return the values and each of their lines, trimmed, without the empty ones."""
    found: set[str] = set()
    for value in values:
        found.update(part.strip() for part in (value, *value.replace("\r", "\n").split("\n")))
    return found - {""}


def token_values(token: str) -> tuple[str, ...]:
    """Return a token and the form in which git sends it (`x-access-token:<token>`)."""
    if not token:
        return ()
    return token, _encoded(f"x-access-token:{token}".encode())


def encodings(value: str) -> set[str]:
    """Return a value in all forms that are masked, the value itself included, none empty."""
    return {value, *(encode(value) for encode in ENCODERS)} - {""}


def _encoded(data: bytes) -> str:
    # `base64` does the same, and takes a millisecond to load.
    return b2a_base64(data, newline=False).decode()


def _base64(value: str) -> str:
    return _encoded(_utf8(value))


def _base64_shift_1(value: str) -> str:
    data = _utf8(value)
    return _encoded(data[1:] or data)


def _base64_shift_2(value: str) -> str:
    data = _utf8(value)
    return _encoded(data[2:] or data)


def _command_line(value: str) -> str:
    return value.replace('"', '\\"')


def _expression(value: str) -> str:
    return value.replace("'", "''")


def _json(value: str) -> str:
    return value.translate(_JSON)


def _uri(value: str) -> str:
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in _utf8(value))


def _xml(value: str) -> str:
    for character, escape in _XML:
        value = value.replace(character, escape)
    return value


def _without_quotes(value: str) -> str:
    quoted = len(value) > 8 and value.startswith('"') and value.endswith('"')
    return value[1:-1] if quoted else value


def _before_ampersand(value: str) -> str:
    """Return what PowerShell prints before the part of an error that it colours."""
    if "&+" in value:
        end = value.index("&+") + 2
        part = value[:end] if len(value) > end else ""
    else:
        part = value[: value.rfind("&") + 1]
    return part if len(part) >= _SHORTEST_PART else ""


def _after_ampersand(value: str) -> str:
    """Return what PowerShell prints after it; behind `&+` the first letter is coloured too."""
    if "&+" in value:
        part = value[value.index("&+") + 3 :]
    else:
        part = value[value.rfind("&") + 1 :] if "&" in value else ""
    return part if len(part) >= _SHORTEST_PART else ""


def _utf8(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape")


ENCODERS: tuple[Callable[[str], str], ...] = (
    _base64,
    _base64_shift_1,
    _base64_shift_2,
    _command_line,
    _expression,
    _json,
    _uri,
    _xml,
    _without_quotes,
    _before_ampersand,
    _after_ampersand,
)
