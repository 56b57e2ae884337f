"""Asking a question and waiting for its answer."""

import time
from typing import Any
from urllib.parse import quote

from bellwether.client.caller import Caller

_WAIT_S = 60.0  # the server's longest: whoever hangs up meanwhile ends the query there too
_POLL_S = 0.5


def ask_query(caller: Caller, dataset: str, spec: dict[str, Any], after: str = "") -> Any:
    """The finished result of a specification. after: a receipt whose events have to be in it.
    Raises ClientError.
    """
    path = f"/1/query_results/{quote(dataset, safe='')}"
    body: dict[str, Any] = {"query": spec, "wait_s": _WAIT_S}
    if after:
        body["after"] = after
    document = caller.json("POST", path, body)
    while not document["complete"]:
        time.sleep(_POLL_S)
        document = caller.json("GET", f"{path}/{document['id']}")
    return document
