"""Tab offers what may stand at the cursor, written so that it is read back as it is."""

import pytest

from bellwether.shell.completion import offers


class Names:
    def datasets(self) -> list[str]:
        return ["web", "odd set"]

    def fields(self, dataset: str) -> list[str]:
        return {"web": ["service", "status", "two words", "count"], "odd set": ["x"]}[dataset]

    def values(self, dataset: str, field: str, prefix: str) -> list[object]:
        return {"service": ["api", 'say "hi"'], "status": [200, 404, True, 1.5]}.get(field, [])


def offered(before: str) -> set[str]:
    return {one.text for one in offers(before, "web", Names(), ("table", "json"))}


@pytest.mark.parametrize(
    ("before", "wanted"),
    [
        ("", {"COUNT", "SELECT *", "P99"}),
        ("cou", {"COUNT", "COUNT_DISTINCT"}),
        ("SUM(", {"service", "status", "`two words`"}),
        ("COUNT ", {"WHERE", "GROUP BY", "LAST"}),
        ("COUNT GROUP ", {"BY"}),
        ("COUNT GROUP BY s", {"service", "status"}),
        ("COUNT GROUP BY service, ", {"status", "`two words`"}),
        ("COUNT WHERE st", {"status"}),
        ("COUNT WHERE tw", {"`two words`"}),
        ("COUNT WHERE `two", {"`two words`"}),
        ("COUNT WHERE status ", {">=", "contains", "exists"}),
        ("COUNT WHERE service = ", {'"api"', '"say ""hi"""'}),
        ("COUNT WHERE service = a", {'"api"'}),
        ('COUNT WHERE service = "a', {'"api"'}),
        ("COUNT WHERE status = 4", {"404"}),
        ("COUNT WHERE status in (200, ", {"404", "true", "1.5"}),
        ("COUNT WHERE service not in (", {'"api"'}),
        ("COUNT WHERE a = 1 AND status >= ", {"200"}),
        ("COUNT FROM ", {"web", "`odd set`"}),
        ("COUNT FROM `odd set` GROUP BY ", {"x"}),
        ("COUNT LAST ", {"1h", "10m"}),
        ("COUNT ORDER BY status ", {"DESC", "LIMIT"}),
        ("\\", {"\\use", "\\fields", "\\q"}),
        ("\\use w", {"web"}),
        ("\\format ", {"json"}),
        ("\\timing o", {"on", "off"}),
        ("\\fields st", {"status"}),
        ("\\explain COUNT GROUP BY st", {"status"}),
    ],
)  # fmt: skip
def test_what_may_come_next_is_offered(before: str, wanted: set[str]) -> None:
    assert wanted <= offered(before), offered(before)


def test_what_cannot_come_next_is_not_offered() -> None:
    assert not offered("COUNT WHERE service = ") & {"service", "AND", "LAST"}
    assert not offered("COUNT GROUP BY ") & {"WHERE", '"api"'}
    assert not offered("COUNT WHERE 'unclosed ' = '' ''") & {"service"}
    assert offered("COUNT WHERE \x00 = ") == set()


def test_what_is_offered_replaces_the_word_at_the_cursor() -> None:
    (offer,) = offers('COUNT WHERE service = "ap', "web", Names(), ())
    assert offer.text == '"api"'
    assert offer.replaced == len('"ap')
