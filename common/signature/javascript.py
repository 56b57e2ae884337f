"""Stacks of JavaScript: of V8 (`at name (file:1:2)`), and of others (`name@file:1:2`)."""

import re
from typing import Final

from common.signature.stack import Frame, Stack, module_of

_LINE: Final = re.compile(r":\d+(?::\d+)?$")
_WITHOUT_LINE: Final = ("<anonymous>", "native", "[native code]")
_ERROR: Final = re.compile(r"^(?:Uncaught )?(?:\[cause\]: )?([A-Z_$][\w$.]*)(?::|$)")
_RECEIVER: Final = re.compile(r"^(?:Object|Function|Module|Window|global|globalThis)\.(?=\w)")
_ALIAS: Final = re.compile(r" \[as [^\]]*\]")
_LIBRARY: Final = re.compile(r"^node:|^internal/|/node_modules/|^<anonymous>$|^native$|^\[native")


def read(text: str) -> Stack | None:
    """A stack of JavaScript; of an error with a cause, the innermost cause."""
    kind = ""
    frames: list[Frame] = []
    for line in text.splitlines():
        bare = line.strip()
        frame = _frame(bare)
        if frame is not None:
            frames.append(frame)
        elif (error := _ERROR.match(bare)) is not None:
            if frames and not bare.startswith("[cause]"):
                break  # another stack follows
            kind, frames = error[1], []
    return Stack(kind, frames) if frames else None


def _frame(line: str) -> Frame | None:
    if line.startswith("at "):
        called = line.removeprefix("at ").removeprefix("async ").removeprefix("new ")
        name, _, place = called.removesuffix(")").rpartition(" (")
    else:
        name, at, place = line.partition("@")
        if not at:
            return None
    path = _LINE.sub("", place)
    if path == place and not path.startswith("node:") and path not in _WITHOUT_LINE:
        return None
    name = _RECEIVER.sub("", _ALIAS.sub("", name)).strip()
    if name in ("", "<anonymous>", "<computed>"):
        name = "anonymous"
    if _LIBRARY.search(path):
        return Frame(name, own=False)
    return Frame(f"{module_of(path)}.{name}")
