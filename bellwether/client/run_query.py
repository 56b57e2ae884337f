"""Runs a query on the server and waits for its result."""

import time
from typing import Any
from urllib.parse import quote

from bellwether.client.caller import Caller
from common import limits

_WAIT_S = 60.0  # the server's longest: closing the connection meanwhile ends the query there too
_POLL_S = 0.5


def run_query(
    caller: Caller, dataset: str, spec: dict[str, Any], after: str = "", *, series: bool = False
) -> Any:
    """The finished result of a specification.

    after: a receipt whose events have to be in it.
    series: return the steps in time too, at the price of fewer groups.

    Raises ClientError.
    """
    path = f"/1/query_results/{quote(dataset, safe='')}"
    body: dict[str, Any] = {"query": spec, "wait_s": _WAIT_S}
    if after:
        body["after"] = after
    if not series and spec.get("limit", 0) > limits.QUERY_LIMIT_MAX:
        body["disable_series"] = True  # with series no more groups than that are returned
    document = caller.json("POST", path, body)
    while not document["complete"]:
        time.sleep(_POLL_S)
        document = caller.json("GET", f"{path}/{document['id']}")
    return document
