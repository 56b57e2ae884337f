"""Python's tracebacks: the innermost frame stands last, causes stand before what they caused."""

import re
from typing import Final

from common.signature.stack import Frame, Stack, module_of

_FRAME: Final = re.compile(r'^[| ]*File "([^"\n]+)", line \d+(?:, in ([^\n]+))?')
_HEAD: Final = "Traceback (most recent call last):"
_CAUSED: Final = "The above exception was the direct cause of the following exception:"
_ERROR: Final = re.compile(r"^[| ]*([A-Za-z_][\w.]*)(?::.*)?$")
_LIBRARY: Final = re.compile(
    r"(?:^|/)(?:site-packages|dist-packages)/|(?:^|/)[Ll]ib/python\d|^<frozen |\\Lib\\"
)
_NAME: Final = re.compile(r"<(lambda|listcomp|dictcomp|setcomp|genexpr)>")


def read(text: str) -> Stack | None:
    """A traceback. Of several the cause of the others, else the last: it is what was raised."""
    if 'File "' not in text:
        return None
    wanted = text.split(_CAUSED, 1)[0]
    blocks = wanted.rsplit(_HEAD, 1)
    frames: list[Frame] = []
    kind = ""
    for line in blocks[-1].splitlines():
        found = _FRAME.match(line)
        if found is not None:
            path, function = found[1], found[2] or "<module>"
            own = _LIBRARY.search(path.replace("\\\\", "\\")) is None
            name = _NAME.sub(r"\1", function.rsplit("<locals>.", 1)[-1])
            frames.append(Frame(f"{module_of(path)}.{name}", own))
            kind = ""
        elif not kind and frames and not line.startswith(" "):
            error = _ERROR.match(line)
            kind = error[1] if error is not None else ""
    frames.reverse()
    return Stack(kind, frames) if frames else None
