"""Reasons to doubt, at the end of `up`, that everything acknowledged is stored (I13).

The indexers are queried before they stop, the log's files are examined after. An indexer that
does not answer is a doubt too.
"""

import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from common.errors import Unavailable
from common.locks import Locks
from common.log.embedded.examine import examine_log
from common.process.members import Member, list_members

_ASK_TIMEOUT_S = 2.0
_ANSWER_BYTES_MAX = 16 * 1024 * 1024


def doubts_of_indexers(locks: Locks, token: str) -> list[str]:
    """Records and segments that the running indexers report as missing."""
    try:
        members = list_members(locks, "indexer")
    except Unavailable as error:
        return [f"the indexers could not be asked: {error}"]
    if not members:
        return ["no indexer was there to be asked"]
    found: list[str] = []
    for member in members:
        found += _doubts_of(member, token)
    return list(dict.fromkeys(found))


def _doubts_of(member: Member, token: str) -> list[str]:
    from common.process.web import (
        INTERNAL_TOKEN_HEADER,  # imports an HTTP server: only when `up` ends
    )

    parts = urlsplit(member.url)
    connection = http.client.HTTPConnection(
        parts.hostname or "", parts.port, timeout=_ASK_TIMEOUT_S
    )
    try:
        connection.request("GET", "/internal/status", headers={INTERNAL_TOKEN_HEADER: token})
        answer = connection.getresponse()
        document = json.loads(answer.read(_ANSWER_BYTES_MAX))
        if answer.status != 200:
            return [f"{member.instance} did not say what it lacks: it answered {answer.status}"]
        return doubts_in_status(document)
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        return [f"{member.instance} did not say what it lacks ({type(error).__name__})"]
    finally:
        connection.close()


def doubts_in_status(document: dict[str, Any]) -> list[str]:
    """What an indexer's status reports as missing. Raises KeyError or TypeError if it is none."""
    found = []
    for number, held in document["partitions"].items():
        if held.get("stopped_reason"):
            found.append(f"partition {number} has stopped: {held['stopped_reason']}")
        damaged = (held.get("damaged") or {}).get("records")
        if damaged:
            found.append(f"partition {number}: {damaged} damaged records are missing from answers")
        for gap in held.get("gaps") or ():
            end = "an unknown offset" if gap["end"] is None else gap["end"]
            found.append(
                f"partition {number}: records from {gap['first']} to {end} were lost: "
                f"{gap['reason']}"
            )
        for name, text in (held.get("unmended") or {}).items():
            found.append(f"partition {number}: segment {name}: {text}")
    return found


def doubts_of_log(folder: Path) -> list[str]:
    """Files of the log that are missing, cut short or cannot be opened."""
    return [flaw.what for flaw in examine_log(folder, records=False).flaws]
