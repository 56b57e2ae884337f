// The words of the text form that are offered while one types.

export interface Word {
  text: string;
  about: string;
}

export const CLAUSES: readonly Word[] = [
  { text: "WHERE", about: "which events" },
  { text: "GROUP BY", about: "one row for each value" },
  { text: "ORDER BY", about: "which groups come first" },
  { text: "HAVING", about: "which groups" },
  { text: "LIMIT", about: "how many groups" },
  { text: "LAST", about: "the range, until now" },
  { text: "SINCE", about: "the range, from a moment" },
  { text: "UNTIL", about: "the range's end" },
  { text: "EVERY", about: "the step in time" },
  { text: "COMPARE", about: "with an earlier range" },
  { text: "SEARCH", about: "a word in any field" },
  { text: "PER", about: "whole traces, or other instances" },
  { text: "LET", about: "a calculated field" },
  { text: "FROM", about: "another dataset" },
  { text: "UNWEIGHTED", about: "stored events, not the weighted ones" },
];

export const CALCULATIONS: readonly Word[] = [
  { text: "COUNT", about: "events" },
  { text: "HEATMAP", about: "how values are spread" },
  { text: "P99", about: "99 % are at most this" },
  { text: "P95", about: "95 % are at most this" },
  { text: "P50", about: "the median" },
  { text: "AVG", about: "the mean" },
  { text: "SUM", about: "all together" },
  { text: "MAX", about: "the largest" },
  { text: "MIN", about: "the smallest" },
  { text: "COUNT_DISTINCT", about: "how many values" },
  { text: "CONCURRENCY", about: "open at once" },
  { text: "RATE_SUM", about: "change of the sum per second" },
  { text: "RATE_AVG", about: "change of the mean per second" },
  { text: "RATE_MAX", about: "change of the largest per second" },
  ...["P001", "P01", "P05", "P10", "P20", "P25", "P75", "P80", "P90", "P999"].map((text) => ({
    text,
    about: "percentile",
  })),
];

/** What HAVING may name beside fields, where instances are asked about. */
export const INSTANCE_COLUMNS: readonly Word[] = [
  { text: "extent_ms", about: "from its first beginning to its last end" },
  { text: "errors", about: "its spans that failed" },
  { text: "spans", about: "how many it has" },
  { text: "last_step", about: "the name of the span that began last" },
  { text: "partial", about: "whether events beside the range are left out" },
  { text: "start", about: "unix seconds" },
  { text: "end", about: "unix seconds" },
];

/** Functions of calculated fields. */
export const FUNCTIONS: readonly Word[] = [
  { text: "IF", about: "a condition, then, else" },
  { text: "COALESCE", about: "the first that is there" },
  { text: "SWITCH", about: "by cases" },
  { text: "CONCAT", about: "texts together" },
  { text: "BUCKET", about: "ranges of a number" },
  { text: "CONTAINS", about: "a text within a text" },
  { text: "STARTS_WITH", about: "begins so" },
  { text: "REG_VALUE", about: "a part by a regular expression" },
  { text: "REG_MATCH", about: "a regular expression fits" },
  { text: "EXISTS", about: "has a value" },
  { text: "INT", about: "as an integer" },
  { text: "LENGTH", about: "characters" },
  { text: "TO_LOWER", about: "in lower case" },
];

/** Those that need no field. */
export const WITHOUT_FIELD: ReadonlySet<string> = new Set(["COUNT", "CONCURRENCY"]);

export const OPERATORS: readonly Word[] = [
  { text: "=", about: "is" },
  { text: "!=", about: "is not, or has none" },
  { text: ">=", about: "at least" },
  { text: ">", about: "more than" },
  { text: "<=", about: "at most" },
  { text: "<", about: "less than" },
  { text: "EXISTS", about: "has the field" },
  { text: "NOT EXISTS", about: "lacks the field" },
  { text: "CONTAINS", about: "holds the text" },
  { text: "NOT CONTAINS", about: "" },
  { text: "STARTS-WITH", about: "begins so" },
  { text: "ENDS-WITH", about: "ends so" },
  { text: "IN", about: "one of a list" },
  { text: "NOT IN", about: "none of a list" },
  { text: "BETWEEN", about: "both ends included" },
  { text: "MATCHES", about: "a regular expression" },
  { text: "LIKE", about: "% is any text" },
];

/** Words that form operators; what follows the last of them is a value. */
export const OPERATOR_WORDS: ReadonlySet<string> = new Set(
  ("CONTAINS CONTAIN STARTS-WITH STARTS STARTSWITH ENDS-WITH ENDS ENDSWITH WITH IN LIKE ILIKE MATCHES REGEXP " +
    "BETWEEN DOES DO NOT IS").split(" "),
);

/** Operators after which there is no value. */
export const WITHOUT_VALUE: ReadonlySet<string> = new Set(["EXISTS", "EXIST", "NULL", "TRUE", "FALSE"]);

export const LENGTHS = ["10m", "30m", "1h", "2h", "6h", "12h", "1d", "2d", "7d", "30d"] as const;
export const STEPS = ["1s", "5s", "10s", "30s", "1m", "5m", "10m", "30m", "1h", "6h", "1d"] as const;
export const EARLIER = ["1h", "6h", "1d", "7d", "28d"] as const;
export const MOMENTS = ["now-2h", "today", "yesterday", "monday", "noon"] as const;
