"""Stacks of Java and of other languages of its virtual machine."""

import re
from typing import Final

from common.signature.stack import Frame, Stack

_FRAME: Final = re.compile(r"^\s*at ([^\s()]+)\([^()\n]*\)", re.MULTILINE)
_HEAD: Final = re.compile(
    r'^(?:Exception in thread "[^"\n]*" )?([A-Za-z_][\w.$]*)(?::|[ \t]*$)', re.MULTILINE
)
_CAUSE: Final = re.compile(r"^Caused by: ", re.MULTILINE)
_LAMBDA: Final = re.compile(r"lambda\$([\w$]*?)\$?\d+$")
_GENERATED: Final = re.compile(r"\$\$(?:Lambda|Enhancer\w*|FastClass\w*)[\w$]*|\$\d+")
_LIBRARY: Final = (
    *("java.", "javax.", "jdk.", "sun.", "com.sun.", "kotlin.", "scala.", "groovy."),
    *("System.", "Microsoft."),  # .NET's frames are written alike
)


def read(text: str) -> Stack | None:
    """A stack of Java; of an exception with causes, the innermost cause."""
    innermost = _CAUSE.split(text)[-1]
    frames = []
    for found in _FRAME.finditer(innermost):
        called = found[1].rsplit("/", 1)[-1]  # without the loader and the module
        name = _GENERATED.sub("$", _LAMBDA.sub(r"\1.lambda", called))
        if "." in name:
            frames.append(Frame(name.replace("$.", "."), not name.startswith(_LIBRARY)))
    if not frames:
        return None
    head = _HEAD.search(innermost)
    return Stack(head[1] if head is not None else "", frames)
