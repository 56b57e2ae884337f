"""Run with the modules of one checkout: CHECKOUT INPUT OUTPUT FOLDER KERNELS.

Bodies become lines of records, records become segments, a log becomes cuts and manifests, documents
are read and written again.
"""

import dataclasses
import hashlib
import json
import pickle
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

from benchmarks.same_bytes.lookup import Names

_ARRIVAL_NS = 1_790_000_123 * 10**9 + 4_567
_SEEDS = (3, 5)  # of the shredder's hash: any two
_DATASETS = 3
_HOUR_NS = 3_600 * 10**9
_LOG_RECORDS = 4_000
_LOG_STEP_NS = 25 * 10**9  # from one record to the next: a day and more in all
_BROKEN = 60  # of the records of a dataset


def plain(value: object) -> object:
    """A value without the names of its class and fields, which may change."""
    if isinstance(value, Enum):  # the value of one that is no text is never written anywhere
        return value.value if isinstance(value, str) else list(type(value)).index(value)
    if fields := getattr(type(value), "__struct_fields__", None):
        return [plain(getattr(value, name)) for name in fields]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [plain(getattr(value, field.name)) for field in dataclasses.fields(value)]
    if isinstance(value, Path):
        return value.name
    if isinstance(value, bytes):
        return value.decode("latin-1") if len(value) < 500 else hashlib.sha256(value).hexdigest()
    if isinstance(value, str | int | float | None):
        return value
    if isinstance(value, set | frozenset):
        return sorted(map(plain, value), key=str)
    if isinstance(value, Mapping):
        return [[plain(key), plain(one)] for key, one in value.items()]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    assert isinstance(value, Sequence), type(value)
    return [plain(one) for one in value]


def parts(value: object) -> list[Any]:
    """The fields of a struct or dataclass, in their order."""
    names = getattr(type(value), "__struct_fields__", None)
    if names is None:
        assert dataclasses.is_dataclass(value)
        names = [field.name for field in dataclasses.fields(value)]
    return [getattr(value, name) for name in names]


def outcome(work: Callable[..., object], *given: object) -> str:
    """What it returns, or the error that it raises."""
    try:
        return json.dumps(plain(work(*given)))
    except Exception as error:  # noqa: BLE001 - the text of any error is a finding
        return f"{type(error).__name__}: {error}"


def split(
    names: Names, bodies: list[tuple[str, str, bytes]], kernels: Path
) -> tuple[dict[str, dict[str, str]], list[bytes]]:
    """Findings of each splitter, and the lines that the reference has made."""
    splitters = {
        "compiled": names.load_splitter(kernels, lambda _: None),
        "reference": names.ReferenceSplitter(),
    }
    found: dict[str, dict[str, str]] = {
        f"splitter, {how}": {} for how in (*splitters, "single events")
    }
    lines: list[bytes] = []
    for name, media, data in bodies:
        kind = names.Media(media)
        for how, splitter in splitters.items():
            for depth in (0, 2):
                key = f"{name} depth {depth}"
                found[f"splitter, {how}"][key] = outcome(
                    splitter.split, data, kind, depth, _ARRIVAL_NS
                )
            wire = names.Wire(data, "", kind, _ARRIVAL_NS)
            found[f"splitter, {how}"][f"{name} decoded"] = outcome(
                names.decode_batch, splitter, wire, 1
            )
        for time, rate in (("", ""), ("1790000000.5", "7"), ("x", "y")):
            headers = names.EventHeaders(time, rate)
            key = f"{name} {time} {rate}"
            found["splitter, single events"][key] = outcome(names.decode_event, wire, 1, headers)
        try:
            _, made, *_ = parts(splitters["reference"].split(data, kind, 1, _ARRIVAL_NS))
        except Exception:  # noqa: BLE001 - it is among the findings
            continue
        if text := parts(made)[0]:
            lines.append(bytes(text))
    return found, lines


def records(names: Names, lines: list[bytes]) -> tuple[dict[str, str], list[Any]]:
    """Records of the lines, as they are in the log, and of every other kind."""
    made = []
    for number, text in enumerate(lines):
        made.append(
            names.events_record(
                team="team", env="env", dataset=f"dataset{number % _DATASETS}",
                batch=number.to_bytes(16, "big"), depth=number % 4,
                via=("", "random", "reroute")[number % 3],
                lines=[text], n=text.count(b"\n"), unless=(1, number) if number % 5 == 0 else (),
            )
        )  # fmt: skip
    place = names.Place(3, 7)
    batch = bytes(range(16))
    others = {
        "marker": names.marker_record(names.Marker(500_000)),
        "marker on demand": names.marker_record(names.Marker(None, 1, "demand")),
        "heartbeat": names.heartbeat_record(),
        "gone": names.gone_record("team", "env", "dataset"),
        "settled": names.settled_record((3, 7), "why"),
        "settled events": names.settled_record((3, 7), "why", made[0]),
        "void": names.void_record(names.Void(4, (names.Question(batch, place, 9),))),
        "decision": names.decision_record(
            names.Decision(5, (names.Answer(batch, place, None), names.Answer(batch, place, place)))
        ),
        "clock": names.clock_record(names.ClockNote(1, 2, "writer")),
    }
    found = {}
    for name, record in {**{f"events {n}": one for n, one in enumerate(made)}, **others}.items():
        headers, value = names.encode_headers(record), parts(record)[1]
        found[name] = json.dumps(plain([headers, value]))
        back = names.decode_record(names.LogRecord(0, 7, 1, headers, value))
        if back != record:
            found[name] += " is read otherwise"
    for name in (
        "Shop Front",
        "\u00c4\u00df/\u01c5 x",
        "a" * 300,
        "",
        "\u0000",
        "__all__",
        "bellwether",
    ):
        found[f"slug {name[:20]!r}"] = outcome(names.dataset_slug, name)
        found[f"id {name[:20]!r}"] = outcome(names.dataset_id, "team", "env", name)
        found[f"batch id {name[:20]!r}"] = outcome(names.client_batch_id, "env", "dataset", name)
    return found, made


def segments(
    names: Names, made: list[Any], folder: Path, kernels: Path
) -> dict[str, dict[str, str]]:
    """Segments of the records: by both shredders, written by both writers."""
    reference = names.ReferenceShredder
    shredders = {
        "compiled": names.load_shredder(kernels, _SEEDS, lambda _: None),
        "reference": reference(), "exact": reference.exact(),
    }  # fmt: skip
    writers = {"compiled": names.load_encoders(kernels), "reference": names.ReferenceEncoders()}
    by_dataset: dict[str, list[Any]] = {}
    for offset, record in enumerate(made):
        append_ns = _ARRIVAL_NS + offset * 1_000_003
        accepted = names.Accepted(offset, append_ns, record)
        by_dataset.setdefault(f"dataset{offset % _DATASETS}", []).append(accepted)
    found: dict[str, dict[str, str]] = {}
    for how, shredder in shredders.items():
        digests = found[f"shredder, {how}"] = {}
        cuts = []
        for dataset, accepted in by_dataset.items():
            blocks, aside = parts(shredder.shred_values(accepted))
            digests[f"{dataset} digest"] = str(plain(names.block_digest(names.concat(blocks))))
            digests[f"{dataset} set aside"] = json.dumps(plain(aside))
            for one in accepted[:40]:
                alone = parts(shredder.shred_values([one]))
                block = names.concat(alone[0])
                digests[f"{dataset} {parts(one)[0]}"] = (
                    f"{plain(names.block_digest(block))} {plain(alone[1])}"
                )
            for number, broken in enumerate(_broken(names, accepted[:_BROKEN])):
                result = parts(shredder.shred_values([broken]))
                digests[f"{dataset} broken {number}"] = json.dumps(plain(result[1]))
            cuts.append(names.CutRows(dataset, tuple(blocks), _ARRIVAL_NS, _ARRIVAL_NS + 10**12))
        for written, encoders in writers.items():
            into = folder / f"{how}-{written}"
            into.mkdir(parents=True)
            files = names.seal_all(cuts, epoch="epoch", partition=3, folder=into, encoders=encoders)
            entry = found[f"segments, {how} shredder, {written} writer"] = {}
            for number, file in enumerate(files):
                entry[f"entry {number}"] = json.dumps(plain(file))
            for path in sorted(into.iterdir()):
                entry[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def _broken(names: Names, accepted: list[Any]) -> Iterator[Any]:
    """Records like these, with a byte of their lines changed or left out."""
    chance = random.Random(1)
    for offset, append_ns, record in map(parts, accepted):
        text = bytearray(names.event_lines(record)[:2_000])
        at = chance.randrange(len(text))
        text[at : at + 1] = chance.choice([b"", b"x", b"\xff", b'"', b"}", b"\n", b"0"])
        made = names.events_record(
            team="team", env="env", dataset="d", batch=bytes(16), depth=1, via="",
            lines=[bytes(text)], n=max(1, text.count(b"\n")),
        )  # fmt: skip
        yield names.Accepted(offset, append_ns, made)


def _log(names: Names) -> Iterator[Any]:
    """A partition's log: records of every kind, repeated, rerouted and damaged ones among them."""
    chance = random.Random(2)
    batch_of = {n: chance.randbytes(16) for n in range(_LOG_RECORDS)}
    hour = _ARRIVAL_NS // _HOUR_NS
    for offset in range(_LOG_RECORDS):
        append_ns = _ARRIVAL_NS + offset * _LOG_STEP_NS - chance.randrange(10) * 10**9
        place, earlier = names.Place(1, chance.randrange(offset + 1)), chance.randrange(offset + 1)
        batch = batch_of[offset if chance.random() < 0.9 else earlier]
        events = names.events_record(
            team="team", env="env", dataset=f"d{chance.randrange(4)}", batch=batch, depth=1, via="",
            lines=[b'{"t":1,"r":1,"d":{"a":1}}\n'], n=1,
            unless=(1, 2) if chance.random() < 0.1 else (),
        )  # fmt: skip
        question = names.Question(batch_of[earlier], place, append_ns - 5)
        copy = names.Place(1, 9) if chance.random() < 0.5 else None
        record = chance.choice(
            [events] * 12
            + [
                names.heartbeat_record(),
                names.gone_record("team", "env", f"d{chance.randrange(4)}"),
                names.void_record(names.Void(2, (question,))),
                names.decision_record(names.Decision(1, (names.Answer(batch, place, copy),))),
                names.settled_record((1, earlier), "why", events if offset % 2 else None),
                names.clock_record(names.ClockNote(append_ns + _HOUR_NS, append_ns, "w")),
                names.marker_record(names.Marker(None, 1, "demand")),
            ]
        )  # fmt: skip
        if append_ns // _HOUR_NS > hour:
            hour = append_ns // _HOUR_NS
            record = names.marker_record(names.Marker(hour - 1))
        headers, value = names.encode_headers(record), parts(record)[1]
        if chance.random() < 0.01:
            headers = headers[chance.randrange(4) :]
        if chance.random() < 0.01:
            yield names.LogRecord(3, offset, 0, (), b"", names.Damage("checksum", headers))
        else:
            yield names.LogRecord(3, offset, append_ns, headers, value)


def cuts(names: Names) -> dict[str, str]:
    """What each record of a log means to its partition, and the manifests of its cuts."""
    state = names.PartitionState(names.Carried())
    epoch = struct(names.Epoch, 3, 1, "log", 0, None, None, "new", "writer", "a", 5, 1)
    found, manifest = {}, None
    for message in _log(names):
        try:
            step = state.apply(message)
        except Exception as error:  # noqa: BLE001 - the text of any error is a finding
            found[f"step {message.offset}"] = f"{type(error).__name__}: {error}"
            break
        found[f"step {message.offset}"] = json.dumps(plain(step))
        if (cut := parts(step)[2]) is not None:
            sealing = names.SealingSet(message.offset + 1, (), {})
            pending = names.PendingCut(cut, sealing, {}, (), ())
            key: str | None = None if manifest is None else manifest.key
            manifest = names.build_manifest(
                pending, (), epoch=epoch, predecessor=key, zone="a", created_ns=7
            )
            found[f"manifest {manifest.key}"] = names.encode_checked(manifest).decode()
    carried = state.carried if hasattr(state, "carried") else state.carried_state
    found["carried"] = json.dumps(plain(carried()))
    return found


def struct(kind: Any, *values: object) -> Any:
    """An instance of a struct whose fields have these values, in their order."""
    return kind(**dict(zip(kind.__struct_fields__, values, strict=True)))


def documents(names: Names, texts: dict[str, bytes]) -> dict[str, str]:
    """Manifests and checkpoints, read and written again; a text that stays the same is named so."""
    found = {}
    for key, text in texts.items():
        kind = names.Checkpoint if "checkpoint" in key else names.Manifest
        again = names.encode_checked(names.decode_checked(text, kind, key))
        found[key] = "the same" if again == text else again.decode()
    return found


def main(checkout: str, given: str, output: str, folder: str, kernels: str) -> None:
    """Write findings by section."""
    import pyarrow as pa

    pa.set_cpu_count(1)
    names = Names(Path(checkout))
    bodies, texts = pickle.loads(Path(given).read_bytes())
    found, lines = split(names, bodies, Path(kernels))
    found["records"], made = records(names, lines)
    found |= segments(names, made, Path(folder), Path(kernels))
    found["cuts and manifests"] = cuts(names)
    found["documents written again"] = documents(names, texts)
    Path(output).write_bytes(pickle.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
