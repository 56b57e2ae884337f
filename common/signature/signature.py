"""The signature of an exception from its stack, by a rule that has a version.

The same fault has the same signature on every build: it has no line numbers, addresses, ids,
arguments and type arguments, no frames of the language's runtime and none of how the fault was
raised. Two faults with one message have two, since the message is no part of it.
"""

from typing import Final

from common import limits
from common.signature import golang, java, javascript, native, python, rust
from common.signature.stack import Frame, Stack, without_numbers

VERSION: Final = 1
_FRAMES_MAX: Final = 5  # the frame that failed and its callers: a helper that raises is not enough
_FRAME_CHARS_MAX: Final = 120
_LINE_CHARS_MAX: Final = 1_000  # the readers' patterns may take the square of a line's length
_READERS: Final = (python.read, golang.read, rust.read, java.read, native.read, javascript.read)


def signature(stacktrace: str, exception_type: str = "") -> str:
    """A text such as `v1 ValueError in app.parse < app.handle < app.main`.

    stacktrace: as the language prints it; the part beyond `limits.STACK_CHARS_MAX` is not read.
    exception_type: used where the stack does not name the type.
    Empty where neither says anything.
    """
    lines = stacktrace[: limits.STACK_CHARS_MAX].splitlines()
    stack = _read("\n".join([line[:_LINE_CHARS_MAX] for line in lines]))
    frames = _kept(stack.frames)
    kind = without_numbers(stack.type or exception_type)[:_FRAME_CHARS_MAX]
    if not kind and not frames:
        return ""
    text = f"v{VERSION} {kind or 'error'}"
    return f"{text} in {' < '.join(frames)}" if frames else text


def _read(text: str) -> Stack:
    for read in _READERS:
        stack = read(text)
        if stack is not None:
            return stack
    lines = [without_numbers(" ".join(line.split())) for line in text.splitlines()]
    return Stack("", [Frame(line) for line in lines if line])


def _kept(frames: list[Frame]) -> list[str]:
    """The first frames of the application, or of all if none is its own; each once, since how
    often a function called itself is no part of the fault.
    """
    own = [frame.name for frame in frames if frame.own] or [frame.name for frame in frames]
    found = dict.fromkeys(name[:_FRAME_CHARS_MAX] for name in own)
    return list(found)[:_FRAMES_MAX]
