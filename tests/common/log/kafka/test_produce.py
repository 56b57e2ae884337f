"""Produce as it is written and read by hand: what the schema writes and reads."""

from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st

from common.log.kafka.produce import Produce, ProduceRequest13, ProduceResponse13

_INT32 = st.integers(-(2**31), 2**31 - 1)
_INT64 = st.integers(-(2**63), 2**63 - 1)
_BATCHES = st.lists(st.tuples(_INT32, st.binary(max_size=300)), max_size=200)
_ERRORS = st.lists(st.tuples(_INT32, st.text(max_size=3), st.just({})), max_size=1)
_MESSAGES = st.none() | st.text(max_size=3)
_CODES = st.integers(-(2**15), 2**15 - 1)
_PLAIN = st.tuples(_INT32, _CODES, _INT64, _INT64, _INT64, st.just([]), st.none(), st.just({}))
_ANY = st.tuples(_INT32, _CODES, _INT64, _INT64, _INT64, _ERRORS, _MESSAGES, st.just({}))
_TOPIC = st.tuples(
    st.binary(min_size=16, max_size=16),
    st.lists(_PLAIN, max_size=4) | st.lists(_ANY, max_size=3),
    st.just({}),
)


@given(st.binary(min_size=16, max_size=16), _BATCHES, st.integers(1, 60_000))
def test_request_is_what_the_schema_writes(
    topic_id: bytes, batches: list[tuple[int, bytes]], timeout_ms: int
) -> None:
    request = Produce(topic_id, list(batches), timeout_ms).build(ProduceRequest13)
    values = [request.__dict__[name] for name in ProduceRequest13.SCHEMA.names]
    assert request.encode() == ProduceRequest13.SCHEMA.encode(values)


@given(st.lists(_TOPIC, max_size=3), st.sampled_from([0, 7]))
def test_answer_is_what_the_schema_reads(
    topics: list[tuple[bytes, list[object], dict[int, bytes]]], throttle_ms: int
) -> None:
    raw = ProduceResponse13.SCHEMA.encode([topics, throttle_ms, {}])
    for data in (raw, BytesIO(raw)):
        assert ProduceResponse13.decode(data).topics == topics


@given(st.lists(_TOPIC, max_size=2), st.data())
def test_damaged_answer_is_read_as_the_schema_reads_it(
    topics: list[tuple[bytes, list[object], dict[int, bytes]]], data: st.DataObject
) -> None:
    raw = bytearray(ProduceResponse13.SCHEMA.encode([topics, 0, {}]))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    cut = (
        bytes(raw[: data.draw(st.integers(0, len(raw)))])
        if data.draw(st.booleans())
        else bytes(raw)
    )
    assert _read(lambda: ProduceResponse13.decode(cut).topics) == _read(
        lambda: ProduceResponse13.SCHEMA.decode(BytesIO(cut))[0]
    )


def _read(decode: object) -> object:
    try:
        return decode()  # type: ignore[operator]  # a function without arguments
    except Exception:  # noqa: BLE001 - which one does not matter, but both must fail
        return "failed"
