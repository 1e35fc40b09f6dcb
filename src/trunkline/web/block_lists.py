"""The list of blocks that makes a blob (Azure Blob Storage: Put Block List)."""

from __future__ import annotations

from xml.parsers import expat

from trunkline.ports.uploads import COMMITTED, LATEST, UNCOMMITTED, Block

ROOT = "BlockList"
SOURCES = {"Latest": LATEST, "Committed": COMMITTED, "Uncommitted": UNCOMMITTED}
MOST = 50_000


class InvalidList(ValueError):
    """This is not a list of blocks."""


class _Reader:
    """Collects blocks while the document is read."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._open: list[str] = []
        self._text = ""

    def start(self, name: str, _attributes: object) -> None:
        self._open.append(name)
        self._text = ""
        if self._open != [ROOT] and (self._open[:-1] != [ROOT] or name not in SOURCES):
            raise InvalidList(f"<{name}> has no place in a list of blocks")

    def text(self, data: str) -> None:
        self._text += data

    def end(self, name: str) -> None:
        self._open.pop()
        if name == ROOT:
            return
        self.blocks.append(Block(self._text.strip(), SOURCES[name]))
        if len(self.blocks) > MOST:
            raise InvalidList(f"a list has at most {MOST} blocks")

    def doctype(self, *_: object) -> None:
        raise InvalidList("a list of blocks has no document type")


def parse_block_list(document: bytes) -> list[Block]:
    """Return the blocks of a list. Raises InvalidList."""
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.doctype
    try:
        parser.Parse(document, True)  # noqa: FBT003 - the last argument of expat's own function
    except (expat.ExpatError, ValueError) as error:
        if isinstance(error, InvalidList):
            raise
        raise InvalidList(str(error)) from error
    return reader.blocks
