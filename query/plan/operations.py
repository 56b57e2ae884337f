"""Names of the calculations, without their code, so that the text form can import them too."""

PERCENTILES = {  # operator -> parts per thousand
    "P001": 1,
    "P01": 10,
    "P05": 50,
    "P10": 100,
    "P20": 200,
    "P25": 250,
    "P50": 500,
    "P75": 750,
    "P80": 800,
    "P90": 900,
    "P95": 950,
    "P99": 990,
    "P999": 999,
}
NUMERIC_OPS = ("SUM", "AVG", "MIN", "MAX")
RATES = {"RATE_SUM": "SUM", "RATE_AVG": "AVG", "RATE_MAX": "MAX"}  # -> what is compared
SUPPORTED_OPS = (
    "COUNT", *NUMERIC_OPS, "COUNT_DISTINCT", "CONCURRENCY", "HEATMAP", *RATES, *PERCENTILES,
)  # fmt: skip
WITHOUT_COLUMN = ("CONCURRENCY",)
