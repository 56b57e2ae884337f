"""What the readers of stacks give: the exception's type, and frames from the fault outwards."""

import re
from typing import Final, NamedTuple

_ID: Final = re.compile(r"0x[0-9a-fA-F]+|\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
_HASH: Final = re.compile(r"\b(?=[0-9a-fA-F]*\d)(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{8,}\b")
_NUMBER: Final = re.compile(r"\d+")
_STEM_HASH: Final = re.compile(r"[-_](?=\w*\d)\w{8,}$")
_STANDS_FOR_FOLDER: Final = ("__init__", "__main__", "index", "mod")
_STEM_CHARS_MAX: Final = 100


class Frame(NamedTuple):
    """A function on the stack.

    name: without arguments, addresses, line numbers and what a compiler numbers.
    own: whether it is the application's: not the language's runtime, nor a library that the stack
        shows to be installed beside the application.
    """

    name: str
    own: bool = True


class Stack(NamedTuple):
    """A stack as read. type: of the exception that began it, empty if the stack does not say."""

    type: str
    frames: list[Frame]


def module_of(path: str) -> str:
    """The name of a source file without its folders, its ending and a bundler's hash. A file that
    stands for its folder gives the folder's name.
    """
    parts = re.split(r"[/\\]", path.split("?", 1)[0])
    stem = parts[-1].split(".", 1)[0]
    if stem in _STANDS_FOR_FOLDER and len(parts) > 1:
        stem = parts[-2] or stem
    return _STEM_HASH.sub("", stem[-_STEM_CHARS_MAX:])


def without_numbers(text: str) -> str:
    """A text with its ids, addresses and numbers replaced, so that two runs give the same."""
    for pattern in (_ID, _HASH, _NUMBER):
        text = pattern.sub("#", text)
    return text


def without_brackets(text: str, opening: str, closing: str) -> str:
    """A text without its outermost bracketed parts. `->` closes nothing."""
    found: list[str] = []
    depth = 0
    before = ""
    for char in text:
        if char == opening:
            depth += 1
        elif char == closing and before != "-":
            if depth == 0:
                found.append(char)
            depth = max(0, depth - 1)
        elif depth == 0:
            found.append(char)
        before = char
    return "".join(found)
