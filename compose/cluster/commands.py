"""Executes the requests of other terminals in a running launcher: status, faults, start, stop."""

from compose.cluster.cluster import Cluster
from compose.cluster.control import Reply, Request
from compose.cluster.parts import Part, UnknownPart, find_parts, list_parts
from compose.processes.process import StartFailed
from compose.servers.proxy import Link, ProxyFailed

PART_COMMANDS = ("start", "stop-part", "kill", "pause", "resume", "restart", "wipe")
FAULTS = ("black-hole", "latency", "limit", "refuse", "reset", "heal")


def answer(cluster: Cluster, request: Request) -> Reply:
    """Execute the request."""
    try:
        if request.command == "status":
            return Reply(True, status_lines(cluster))
        if request.command == "fault":
            return _fault(cluster, request)
        if request.command in PART_COMMANDS:
            lines = [
                _act(part, request.command, request.options)
                for part in find_parts(cluster, request.names)
            ]
            return Reply(True, lines)
    except (UnknownPart, StartFailed, ProxyFailed, RuntimeError) as error:
        return Reply(False, [str(error)])
    return Reply(False, [f"unknown command {request.command}"])


def status_lines(cluster: Cluster) -> list[str]:
    """A table of every process."""
    rows = [("name", "state", "pid", "address")]
    rows += [
        (part.name, part.state, str(part.process.pid or "-"), part.address)
        for part in list_parts(cluster)
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]])
        for row in rows
    ]


def _act(part: Part, command: str, options: dict[str, str]) -> str:
    match command:
        case "start":
            if part.process.alive:
                return f"{part.name} runs already"
            part.start()
        case "stop-part":
            part.stop()
        case "kill":
            part.kill(stay_down="stay_down" in options)
        case "pause":
            part.process.pause()
        case "resume":
            part.process.resume()
        case "restart":
            part.stop()
            part.start()
        case "wipe":
            if part.role is None:
                raise RuntimeError(f"{part.name} is a server: only a role's disk can be destroyed")
            part.role.kill(stay_down=True)
            part.role.wipe()
    return f"{part.name}: {command} done"


def _fault(cluster: Cluster, request: Request) -> Reply:
    kind, number = request.options.get("kind", ""), int(request.options.get("number", "0"))
    if "proxy" not in cluster.running:
        return Reply(False, ["this cluster runs without the proxy: start it without --direct"])
    links = cluster.proxy.links
    unknown = [name for name in request.names if name not in links]
    if unknown:
        return Reply(False, [f"no link {' '.join(unknown)}; there are: {' '.join(sorted(links))}"])
    for name in request.names or links:
        _break(links[name], kind, number)
    return Reply(True, [f"{' '.join(request.names) or 'every link'}: {kind}"])


def _break(link: Link, kind: str, number: int) -> None:
    match kind:
        case "black-hole":
            link.black_hole()
        case "latency":
            link.latency(number)
        case "limit":
            link.limit(number)
        case "refuse":
            link.refuse()
        case "reset":
            link.reset(number)
        case _:
            link.heal()
