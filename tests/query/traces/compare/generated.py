"""Pairs of traces with known edits: repeated names, recursion, threads, ids in names."""

import random
from dataclasses import dataclass, field

from query.traces.compare.differences import What
from query.traces.compare.span import TOP, Key, Span, Spans, spans_of

MS = 1_000_000
EDITS = (What.MISSING, What.ADDED, What.REPEATED, What.SLOWER, What.FAILED, What.FIELD)


@dataclass
class Node:
    """A step as it is planned. mark: names it through both traces."""

    name: str
    service: str
    self_ms: float
    mark: int
    at_once: bool = False  # whether its children run in threads
    failed: bool = False
    children: list["Node"] = field(default_factory=list)
    route: str = "/items/#"

    def walk(self) -> list["Node"]:
        found = [self]
        for one in found:
            found += one.children
        return found


def tree(chance: random.Random, size: int) -> Node:
    """A plan of `size` steps."""
    names = [f"step-{n}" for n in range(max(3, min(40, size // 3)))]
    root = Node("request", "front", 5.0, 0)
    nodes = [root]
    while len(nodes) < size:
        above = chance.choice(nodes[-30:]) if chance.random() < 0.7 else chance.choice(nodes)
        name = above.name if chance.random() < 0.1 else chance.choice(names)  # recursion
        for _ in range(chance.choice((1, 1, 1, 1, 3))):  # the same step again and again
            node = Node(name, f"svc-{len(name) % 3}", chance.uniform(2, 50), len(nodes))
            node.at_once = chance.random() < 0.3
            above.children.append(node)
            nodes.append(node)
    return root


def rendered(chance: random.Random, root: Node, trace_id: str) -> tuple[Spans, dict[str, int]]:
    """The spans as a run gives them, and the mark of each span's id."""
    spans: list[Span] = []
    marks: dict[str, int] = {}
    waiting: list[tuple[Node, int, int]] = [(root, TOP, 1_000_000_000)]
    length: dict[int, int] = {}
    for node in reversed(root.walk()):
        below = [length[id(one)] for one in node.children]
        own = round(node.self_ms * chance.uniform(0.9, 1.1) * MS)
        length[id(node)] = own + (max(below, default=0) if node.at_once else sum(below))
    while waiting:
        node, parent, start = waiting.pop()
        below = node.children[:]
        inner = (
            max((length[id(c)] for c in below), default=0)
            if node.at_once
            else sum(length[id(c)] for c in below)
        )
        position = len(spans)
        span_id = f"{chance.getrandbits(64):016x}"
        marks[span_id] = node.mark
        shown = f"{node.name} {chance.getrandbits(32):08x}a1"
        spans.append(
            Span(
                Key(node.service, f"{node.name} #", "internal"), span_id, shown, parent, start,
                start + length[id(node)], length[id(node)] - inner, node.failed,
                {"http.route": node.route, "user.id": f"{chance.getrandbits(40)}"},
            )
        )  # fmt: skip
        at = start + round(0.1 * MS)
        if node.at_once:
            chance.shuffle(below)
        for number, child in enumerate(below):
            waiting.append((child, position, at + (number * 1_000 if node.at_once else 0)))
            if not node.at_once:
                at += length[id(child)]
    order = sorted(range(len(spans)), key=lambda n: spans[n].start_ns)
    del order
    return spans_of(trace_id, spans), marks


@dataclass
class Edited:
    """A pair of traces, and the edits: (what, mark of the step)."""

    good: Spans
    bad: Spans
    good_marks: dict[str, int]
    bad_marks: dict[str, int]
    edits: set[tuple[What, int]]


def edited(seed: int, size: int, edits: int) -> Edited:
    """A trace and one of the same plan with edits in different places."""
    chance = random.Random(seed)
    root = tree(chance, size)
    good, good_marks = rendered(chance, root, "good")
    done: set[tuple[What, int]] = set()
    touched: set[int] = {0}
    for _ in range(edits):
        what = chance.choice(EDITS)
        places = [
            (above, node)
            for above in root.walk()
            for node in above.children
            if node.mark not in touched and above.mark not in touched
        ]
        if not places:
            break
        above, node = chance.choice(places)
        near = {one.mark for one in node.walk()} | {above.mark}
        near |= {one.mark for one in above.children}
        if near & touched - {0}:
            continue
        apply(chance, what, above, node, done)
        touched |= near
    bad, bad_marks = rendered(chance, root, "bad")
    return Edited(good, bad, good_marks, bad_marks, done)


def apply(
    chance: random.Random, what: What, above: Node, node: Node, done: set[tuple[What, int]]
) -> None:
    at = above.children.index(node)
    if what is What.MISSING:
        if sum(one.name == node.name for one in above.children) > 1:
            return  # any of the repeated ones may be the one
        above.children[at : at + 1] = node.children if chance.random() < 0.5 else []
        done.add((what, node.mark))
    elif what is What.ADDED:
        mark = 1_000_000 + len(done)
        above.children.insert(at, Node("surprise", "svc-x", 10.0, mark))
        done.add((what, mark))
    elif what is What.REPEATED:
        mark = 1_000_000 + len(done)
        again = Node(node.name, node.service, node.self_ms, mark, failed=node.failed)
        above.children.insert(at + 1, again)
        done.add((what, mark))
    elif what is What.SLOWER:
        node.self_ms *= 5
        done.add((what, node.mark))
    elif what is What.FAILED:
        node.failed = True
        done.add((what, node.mark))
    else:
        node.route = "/other/#"
        done.add((what, node.mark))
