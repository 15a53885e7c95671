"""XML of documents, read piece by piece and within limits: nothing is expanded, nothing fetched, no depth exhausts the stack.

Elements and attributes go by their local names, as one document format writes several namespaces for the same thing (the
strict and the transitional form of ECMA-376); only attributes that name a relationship keep a prefix: `r:id`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from xml.parsers import expat

from khoj_ls.content.refusal import Refused

MOST_ELEMENTS = 8_000_000
"""Of one part. A sheet with formulas in a million cells has three millions."""
MOST_DEPTH = 120
_PIECE = 1 << 16


class Node:
    """An element with what is in it."""

    __slots__ = ("attributes", "children", "name")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        """An element without children."""
        self.name = name
        self.attributes = attributes
        self.children: list[Node | str] = []

    def get(self, attribute: str, default: str = "") -> str:
        """The value of an attribute."""
        return self.attributes.get(attribute, default)

    def nodes(self) -> Iterator[Node]:
        """The elements right below."""
        return (child for child in self.children if isinstance(child, Node))

    def find(self, *path: str) -> Node | None:
        """The first element at `path`, name by name; None where there is none."""
        found: Node | None = self
        for name in path:
            found = next((child for child in found.nodes() if child.name == name), None) if found else None
        return found

    def below(self, *names: str) -> Iterator[Node]:
        """Elements called one of `names` anywhere below, in order; what is in them is looked through as well."""
        for child in self.nodes():
            if child.name in names:
                yield child
            yield from child.below(*names)

    def text(self) -> str:
        """All text below, in order."""
        return "".join(child if isinstance(child, str) else child.text() for child in self.children)


Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]
Text = Callable[[str], None]


def read_events(data: bytes, part: str, start: Start, end: End, text: Text) -> Iterator[None]:
    """Tell of every element and text in `data`; yields now and then, so that what was told can be taken away.

    `part` is what the user knows it as. Raises Refused where it is no XML, declares entities or is too much.
    """
    guard = _Guard(part, start, end)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = guard.start
    parser.EndElementHandler = guard.end
    parser.CharacterDataHandler = text
    parser.EntityDeclHandler = guard.entity
    try:
        for at in range(0, len(data), _PIECE):
            parser.Parse(data[at : at + _PIECE], at + _PIECE >= len(data))
            yield
        if not data:
            parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise Refused("damaged", f"the file is damaged: {part} cannot be read ({error})") from error


def records(data: bytes, part: str, names: Collection[str], marks: Collection[str] = ()) -> Iterator[Node]:
    """The outermost elements called one of `names`, each with all that is in it, in order. Raises Refused as `read_events`.

    Elements called one of `marks` come where they begin, without what is in them, unless they stand in a record.
    """
    open_nodes: list[Node] = []
    done: list[Node] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if open_nodes or name in names:
            open_nodes.append(Node(name, attributes))
        elif name in marks:
            done.append(Node(name, attributes))

    def end(_: str) -> None:
        if open_nodes:
            node = open_nodes.pop()
            (open_nodes[-1].children if open_nodes else done).append(node)

    def text(said: str) -> None:
        if open_nodes:
            open_nodes[-1].children.append(said)

    for _ in read_events(data, part, start, end, text):
        yield from done
        done.clear()


class _Guard:
    """Counts elements and their depth, and takes namespaces off their names."""

    def __init__(self, part: str, start: Start, end: End) -> None:
        self._part, self._start, self._end = part, start, end
        self._many = self._depth = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._many += 1
        self._depth += 1
        if self._many > MOST_ELEMENTS or self._depth > MOST_DEPTH:
            what = f"{MOST_ELEMENTS:,} elements" if self._many > MOST_ELEMENTS else f"{MOST_DEPTH} elements within each other"
            raise Refused("too-large", f"{self._part} in the file has more than {what}: no document needs that")
        if attributes:
            attributes = {_local_attribute(key): value for key, value in attributes.items()}
        self._start(name.rpartition(" ")[2], attributes)

    def end(self, name: str) -> None:
        self._depth -= 1
        self._end(name.rpartition(" ")[2])

    def entity(self, *_: object) -> None:
        raise Refused("xml-entities", f"{self._part} in the file declares XML entities, as no document needs: it is not read")


def _local_attribute(name: str) -> str:
    space, _, local = name.rpartition(" ")
    return f"r:{local}" if space.endswith("/relationships") else local
