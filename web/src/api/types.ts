// Made by `python -m query.api.document.typescript` from the OpenAPI document: do not edit.

export type CalculatedField = {
  name: string;
  /** What computes it (docs/calculated-fields.md). */
  expression: string;
};

/** COUNT needs no column. Filters are those of this calculation alone. */
export type Calculation = {
  op: "COUNT" | "SUM" | "AVG" | "MIN" | "MAX" | "COUNT_DISTINCT" | "CONCURRENCY" | "HEATMAP" | "RATE_SUM" | "RATE_AVG" | "RATE_MAX" | "P001" | "P01" | "P05" | "P10" | "P20" | "P25" | "P50" | "P75" | "P80" | "P90" | "P95" | "P99" | "P999";
  /** A field's name. */
  column?: string;
  /** The key of its values in the results. */
  name?: string;
  /** Whether rows leave it out: formulas, orders and havings may use it. */
  hidden?: boolean;
  filters?: Filter[];
  /** AND unless given. */
  filter_combination?: "AND" | "OR";
};

/** What the answer includes, by partition (docs/query.md). */
export type Coverage = {
  /** Whether every partition answered with all that was asked for. */
  complete: boolean;
  partitions: {
    partition: number;
    complete: boolean;
    /** Why it is not; may be empty. */
    reason?: string;
  }[];
  state_bytes?: number;
  /** Events that were looked at. */
  rows_read?: number;
  /** The size of what holds them, as it is stored. */
  bytes_read?: number;
};

export type Error = {
  error: string;
};

export type Fault = {
  /** The member of the body that it is about. */
  field: string;
  code: "missing" | "incorrect_type" | "invalid" | "already_exists";
  description: string;
};

/** A condition, or a group of conditions. */
export type Filter = {
  /** A field's name. */
  column?: string;
  op: "=" | "!=" | ">" | ">=" | "<" | "<=" | "starts-with" | "does-not-start-with" | "ends-with" | "does-not-end-with" | "exists" | "does-not-exist" | "contains" | "does-not-contain" | "in" | "not-in" | "matches" | "does-not-match" | "search";
  value?: string | number | boolean | (string | number | boolean)[];
} | {
  filter_combination?: "AND" | "OR" | "NONE";
  filters: Filter[];
};

/** An expression over calculations by their labels, `$errors / $total`. */
export type Formula = {
  name: string;
  expression: string;
};

export type Having = {
  calculate_op?: "COUNT" | "SUM" | "AVG" | "MIN" | "MAX" | "COUNT_DISTINCT" | "CONCURRENCY" | "RATE_SUM" | "RATE_AVG" | "RATE_MAX" | "P001" | "P01" | "P05" | "P10" | "P20" | "P25" | "P50" | "P75" | "P80" | "P90" | "P95" | "P99" | "P999";
  /** A field's name. */
  column?: string;
  op: "=" | "!=" | ">" | ">=" | "<" | "<=";
  value: number;
} | Filter;

/** Without `op`, `column` is a breakdown or the name of a calculation or formula. */
export type Order = {
  op?: "COUNT" | "SUM" | "AVG" | "MIN" | "MAX" | "COUNT_DISTINCT" | "CONCURRENCY" | "HEATMAP" | "RATE_SUM" | "RATE_AVG" | "RATE_MAX" | "P001" | "P01" | "P05" | "P10" | "P20" | "P25" | "P50" | "P75" | "P80" | "P90" | "P95" | "P99" | "P999";
  /** A field's name. */
  column?: string;
  order?: "ascending" | "descending";
};

/** RFC 9457, with the vendor's `error`. */
export type Problem = {
  status: number;
  /** An address under the server's own `/problems/`. */
  type: string;
  title: string;
  error: string;
  detail: string;
  type_detail?: Fault[];
};

/** The vendor's query specification, and what Bellwether adds (docs/query.md). */
export type Query = {
  calculations?: Calculation[];
  filters?: Filter[];
  /** AND unless given. */
  filter_combination?: "AND" | "OR";
  formulas?: Formula[];
  breakdowns?: string[];
  orders?: Order[];
  havings?: Having[];
  limit?: number;
  /** Unix seconds. */
  start_time?: number;
  /** Unix seconds. */
  end_time?: number;
  /** Seconds; two hours unless given. */
  time_range?: number;
  /** By which time of events the range and the steps run. */
  time_axis?: "start" | "end";
  /** A field whose values are instances, as trace.trace_id. */
  per?: string;
  calculated_fields?: CalculatedField[];
  /** Seconds of a step; chosen unless given. */
  granularity?: number;
  /** How much earlier the compared range begins. */
  compare_time_offset_seconds?: number;
  /** Whether each event counts once, whatever its sample rate. */
  usage_mode?: boolean;
};

/** An event, as POST /1/batch takes it. */
export type Row = {
  time: string;
  samplerate: number;
  /** Where all datasets are asked. */
  dataset?: string;
  data: Record<string, unknown>;
};

/** A series with `series_form` "columns": the values that its rows would have. */
export type SeriesColumns = {
  /** When its steps begin, in unix seconds, ascending. */
  times: number[];
  groups: {
    /** The group's values by breakdown. */
    data: Record<string, unknown>;
    /** Places in `times` of the group's steps; without it, all. */
    steps?: number[];
    /** By label of a calculation, a value for each step. */
    values: Record<string, unknown[]>;
  }[];
};

/** A specification, unchanged, with its id. */
export type StoredQuery = {
  id: string;
};

/** By operation: the body that is sent, and the answer of a success. */
export interface Operations {
  /** Whether the server answers. */
  alive: {
    body: undefined;
    answer: unknown;
  };
  /** What the key is and may do. */
  auth: {
    body: undefined;
    answer: {
      id?: string;
      type?: string;
      api_key_access?: Record<string, unknown>;
    };
  };
  /** How a trace differs from another, or from the typical one of many. */
  compareTraces: {
    body: {
      trace: string;
      with?: string;
      against?: string | Record<string, unknown>;
      limit?: number;
      /** As the header X-Bellwether-After. */
      after?: string;
      /** Wait for the receipts (unless given), refuse an incomplete answer, or do not wait. */
      coverage?: "wait" | "require" | "accept";
    };
    answer: {
      trace: {
        id: string;
        spans: number;
      };
      reference: {
        id: string;
        spans: number;
        traces: number;
      };
      counts: Record<string, number>;
      /** The most telling first. */
      differences: ({
        what: "missing" | "failed" | "added" | "repeated" | "slower" | "recovered" | "field";
        name: string;
        service: string;
        kind: string;
        /** Of the trace; of a missing span, of the reference. */
        span_id: string;
        start?: string;
        /** Name of the span above it. */
        parent: string;
        /** It and those below it. */
        spans: number;
        /** Of the reference's traces that have it. */
        share: number;
        field?: string;
        usual?: unknown;
        found?: unknown;
      })[];
      coverage: Coverage;
      notes: string[];
    };
  };
  /** Describe a field that no event needs to have yet. */
  createColumn: {
    body: {
      /** The name of the field. */
      key_name: string;
      /** What is shown as its type; no event is refused. */
      type?: "string" | "float" | "integer" | "boolean";
      description?: string;
      /** Not suggested to people. */
      hidden?: boolean;
    };
    answer: {
      id: string;
      key_name: string;
      type: string;
      description: string;
      hidden: boolean;
    };
  };
  /** Create a dataset, or show the one that has the name or slug already (200). */
  createDataset: {
    body: {
      /** In any case. */
      name: string;
      description?: string;
      /** Objects in fields become fields, to this depth. */
      expand_json_depth?: number;
      /** How long events are kept; 0: the installation's setting. */
      retention_days?: number;
      settings?: {
        /** Deleting the dataset is refused. */
        delete_protected?: boolean;
      };
    };
    answer: {
      name: string;
      slug: string;
      description: string;
      expand_json_depth: number;
      retention_days?: number | null;
      settings: {
        delete_protected: boolean;
      };
      regular_columns_count?: number | null;
      last_written_at?: string | null;
      created_at: string;
    };
  };
  /** A new derived column. */
  createDerivedColumn: {
    body: {
      /** The name of the field. */
      alias: string;
      /** What computes it. */
      expression: string;
      description?: string;
    };
    answer: {
      id: string;
      /** The name of the field. */
      alias: string;
      /** What computes it. */
      expression: string;
      description: string;
      created_at: string;
      updated_at: string;
    };
  };
  /** A new key; its text is in this answer and stored nowhere. */
  createKey: {
    body: {
      name: string;
      ingest?: boolean;
      read_only?: boolean;
      create_datasets?: boolean;
      admin?: boolean;
      classic?: boolean;
      events_per_s?: number;
      events_per_day?: number;
    };
    answer: {
      id: string;
      name: string;
      kind: string;
      rights: Record<string, unknown>;
      /** The key itself: it is shown only here. */
      key: string;
    };
  };
  /** A new marker. */
  createMarker: {
    body: {
      /** When it is, in unix seconds; by default when the request arrives. */
      start_time?: number;
      /** When it ends, in unix seconds, if it takes time. */
      end_time?: number;
      /** What happened. */
      message?: string;
      /** Markers of one type have one colour. */
      type?: string;
      /** Where the message leads. */
      url?: string;
    };
    answer: {
      id: string;
      /** When it is, in unix seconds; by default when the request arrives. */
      start_time?: number;
      /** When it ends, in unix seconds, if it takes time. */
      end_time?: number;
      /** What happened. */
      message?: string;
      /** Markers of one type have one colour. */
      type?: string;
      /** Where the message leads. */
      url?: string;
      created_at: string;
      updated_at: string;
    };
  };
  /** A new marker setting. */
  createMarkerSetting: {
    body: {
      /** Markers of one type have one colour. */
      type: string;
      /** As `#F96E11`. */
      color: string;
    };
    answer: {
      id: string;
      /** Markers of one type have one colour. */
      type: string;
      /** As `#F96E11`. */
      color: string;
      created_at: string;
      updated_at: string;
    };
  };
  /** Store a query specification. */
  createQuery: {
    body: Query;
    answer: StoredQuery;
  };
  /** A new query annotation. */
  createQueryAnnotation: {
    body: {
      name: string;
      description?: string;
      /** The query; it stays the same. */
      query_id: string;
    };
    answer: {
      id: string;
      name: string;
      description: string;
      /** The query; it stays the same. */
      query_id: string;
      created_at: string;
      updated_at: string;
    };
  };
  /** Run a stored query, or one that is given here. */
  createQueryResult: {
    body: {
      query_id?: string;
      query?: Query;
      /** Seconds to wait for the answer itself. */
      wait_s?: number;
      disable_series?: boolean;
      /** True unless given. */
      disable_total_by_aggregate?: boolean;
      /** True unless given. */
      disable_other_by_aggregate?: boolean;
      /** How series come: rows unless given. */
      series_form?: "rows" | "columns";
      limit?: number;
      /** As the header X-Bellwether-After. */
      after?: string;
      /** Wait for the receipts (unless given), refuse an incomplete answer, or do not wait. */
      coverage?: "wait" | "require" | "accept";
    };
    answer: {
      query: Record<string, unknown>;
      id: string;
      /** Whether the answer is there: `data` and what stands beside it. */
      complete: boolean;
      links: {
        query_url?: string;
        graph_image_url?: string;
      };
      data?: {
        /** A row per group. */
        results?: {
          /** Values by breakdown and by label of a calculation. */
          data: Record<string, unknown>;
        }[];
        /** Rows, or columns with `series_form`. */
        series?: {
          time: string;
          /** Values by breakdown and by label of a calculation. */
          data: Record<string, unknown>;
        }[] | SeriesColumns;
        /** Values by breakdown and by label of a calculation. */
        total_by_aggregate?: Record<string, unknown>;
        /** Values by breakdown and by label of a calculation. */
        other_by_aggregate?: Record<string, unknown>;
        /** Rows, or columns with `series_form`. */
        total_by_aggregate_series?: {
          time: string;
          /** Values by breakdown and by label of a calculation. */
          data: Record<string, unknown>;
        }[] | SeriesColumns;
      };
      coverage?: Coverage;
      notes?: string[];
      range?: Record<string, unknown>;
      groups?: Record<string, unknown>;
      /** The answer of the earlier range, where one is compared. */
      compare?: {
        offset_s?: number;
        range?: Record<string, unknown>;
        data?: {
          /** A row per group. */
          results?: {
            /** Values by breakdown and by label of a calculation. */
            data: Record<string, unknown>;
          }[];
          /** Rows, or columns with `series_form`. */
          series?: {
            time: string;
            /** Values by breakdown and by label of a calculation. */
            data: Record<string, unknown>;
          }[] | SeriesColumns;
          /** Values by breakdown and by label of a calculation. */
          total_by_aggregate?: Record<string, unknown>;
          /** Values by breakdown and by label of a calculation. */
          other_by_aggregate?: Record<string, unknown>;
          /** Rows, or columns with `series_form`. */
          total_by_aggregate_series?: {
            time: string;
            /** Values by breakdown and by label of a calculation. */
            data: Record<string, unknown>;
          }[] | SeriesColumns;
        };
        only_now?: Record<string, unknown>[];
        only_before?: Record<string, unknown>[];
        coverage?: Coverage;
        notes?: string[];
        groups?: Record<string, unknown>;
      };
    };
  };
  /** Cut every partition now; answered when the segments are published. */
  cut: {
    body: undefined;
    answer: {
      partitions?: number;
      indexers?: unknown;
    };
  };
  /** Show a column no more, until an event has it again. */
  deleteColumn: {
    body: undefined;
    answer: null;
  };
  /** Delete a dataset that is not protected. */
  deleteDataset: {
    body: undefined;
    answer: Record<string, unknown>;
  };
  /** Delete one. */
  deleteDerivedColumn: {
    body: undefined;
    answer: null;
  };
  /** Delete one. */
  deleteMarker: {
    body: undefined;
    answer: {
      id: string;
      /** When it is, in unix seconds; by default when the request arrives. */
      start_time?: number;
      /** When it ends, in unix seconds, if it takes time. */
      end_time?: number;
      /** What happened. */
      message?: string;
      /** Markers of one type have one colour. */
      type?: string;
      /** Where the message leads. */
      url?: string;
      created_at: string;
      updated_at: string;
    };
  };
  /** Delete one. */
  deleteMarkerSetting: {
    body: undefined;
    answer: {
      id: string;
      /** Markers of one type have one colour. */
      type: string;
      /** As `#F96E11`. */
      color: string;
      created_at: string;
      updated_at: string;
    };
  };
  /** Delete one. */
  deleteQueryAnnotation: {
    body: undefined;
    answer: null;
  };
  /** In which fields some events of a query differ from its other events. */
  differences: {
    body: {
      /** A dataset's name, or `__all__`. */
      dataset: string;
      /** A query specification; its filters and range count. */
      query?: Record<string, unknown>;
      selection: Filter[] | {
        filters?: Filter[];
        /** AND unless given. */
        filter_combination?: "AND" | "OR";
        /** Unix seconds, of a box of a heatmap. */
        start_time?: number;
        /** Exclusive. */
        end_time?: number;
        ranges?: {
          column: string;
          from?: number;
          /** Exclusive. */
          to?: number;
        }[];
        groups?: Record<string, unknown>[];
      };
      fields?: string[];
      /** A part, or * and ?. */
      match?: string;
      limit?: number;
      /** As the header X-Bellwether-After. */
      after?: string;
      /** Wait for the receipts (unless given), refuse an incomplete answer, or do not wait. */
      coverage?: "wait" | "require" | "accept";
    };
    answer: {
      inside: {
        events: number;
        stored: number;
      };
      outside: {
        events: number;
        stored: number;
      };
      /** Those that differ most first. */
      fields: ({
        name: string;
        /** How much it differs beyond chance. */
        score: number;
        confidence: number;
        /** Whether its values were counted in a part of the events. */
        sampled: boolean;
        missing: {
          /** Events of one side, weighted by sample rates, and their share of it. */
          inside: {
            events: number;
            share: number;
          };
          /** Events of one side, weighted by sample rates, and their share of it. */
          outside: {
            events: number;
            share: number;
          };
        };
        kind: "values";
        values: ({
          value: string | number | boolean;
          /** Events of one side, weighted by sample rates, and their share of it. */
          inside: {
            events: number;
            share: number;
          };
          /** Events of one side, weighted by sample rates, and their share of it. */
          outside: {
            events: number;
            share: number;
          };
        })[];
        others?: {
          /** How many. */
          values: number;
          /** Events of one side, weighted by sample rates, and their share of it. */
          inside: {
            events: number;
            share: number;
          };
          /** Events of one side, weighted by sample rates, and their share of it. */
          outside: {
            events: number;
            share: number;
          };
        };
      } | {
        name: string;
        /** How much it differs beyond chance. */
        score: number;
        confidence: number;
        /** Whether its values were counted in a part of the events. */
        sampled: boolean;
        missing: {
          /** Events of one side, weighted by sample rates, and their share of it. */
          inside: {
            events: number;
            share: number;
          };
          /** Events of one side, weighted by sample rates, and their share of it. */
          outside: {
            events: number;
            share: number;
          };
        };
        kind: "numbers";
        inside: {
          median: number | null;
          p25: number | null;
          p75: number | null;
          spread: number | null;
        };
        outside: {
          median: number | null;
          p25: number | null;
          p75: number | null;
          spread: number | null;
        };
        /** The first and the last bin have what is beyond them. */
        histogram: {
          from: number;
          to: number;
          /** Events of one side, weighted by sample rates, and their share of it. */
          inside: {
            events: number;
            share: number;
          };
          /** Events of one side, weighted by sample rates, and their share of it. */
          outside: {
            events: number;
            share: number;
          };
        }[];
      })[];
      /** Of the selection, or following from it. */
      same: ({
        name: string;
        /** How much it differs beyond chance. */
        score: number;
        confidence: number;
        /** Whether its values were counted in a part of the events. */
        sampled: boolean;
        missing: {
          /** Events of one side, weighted by sample rates, and their share of it. */
          inside: {
            events: number;
            share: number;
          };
          /** Events of one side, weighted by sample rates, and their share of it. */
          outside: {
            events: number;
            share: number;
          };
        };
        kind: "values";
        values: ({
          value: string | number | boolean;
          /** Events of one side, weighted by sample rates, and their share of it. */
          inside: {
            events: number;
            share: number;
          };
          /** Events of one side, weighted by sample rates, and their share of it. */
          outside: {
            events: number;
            share: number;
          };
        })[];
        others?: {
          /** How many. */
          values: number;
          /** Events of one side, weighted by sample rates, and their share of it. */
          inside: {
            events: number;
            share: number;
          };
          /** Events of one side, weighted by sample rates, and their share of it. */
          outside: {
            events: number;
            share: number;
          };
        };
        why: "selection" | "follows";
        /** The field that it follows from. */
        from?: string;
      } | {
        name: string;
        /** How much it differs beyond chance. */
        score: number;
        confidence: number;
        /** Whether its values were counted in a part of the events. */
        sampled: boolean;
        missing: {
          /** Events of one side, weighted by sample rates, and their share of it. */
          inside: {
            events: number;
            share: number;
          };
          /** Events of one side, weighted by sample rates, and their share of it. */
          outside: {
            events: number;
            share: number;
          };
        };
        kind: "numbers";
        inside: {
          median: number | null;
          p25: number | null;
          p75: number | null;
          spread: number | null;
        };
        outside: {
          median: number | null;
          p25: number | null;
          p75: number | null;
          spread: number | null;
        };
        /** The first and the last bin have what is beyond them. */
        histogram: {
          from: number;
          to: number;
          /** Events of one side, weighted by sample rates, and their share of it. */
          inside: {
            events: number;
            share: number;
          };
          /** Events of one side, weighted by sample rates, and their share of it. */
          outside: {
            events: number;
            share: number;
          };
        }[];
        why: "selection" | "follows";
        /** The field that it follows from. */
        from?: string;
      })[];
      looked_at?: number;
      differing?: number;
      left_out?: number;
      start?: string;
      end?: string;
      coverage: Coverage;
      notes: string[];
    };
  };
  /** End a query that this key asked and that still runs; an answer that there is stays. */
  endQueryResult: {
    body: undefined;
    answer: null;
  };
  /** Of some events, a trace of the slowest, of one near the median, and of one that failed. */
  exampleTraces: {
    body: {
      /** A dataset's name, or `__all__`. */
      dataset: string;
      query?: Query;
      /** Whose numbers are compared; durations unless given. */
      column?: string;
      /** As the header X-Bellwether-After. */
      after?: string;
      /** Wait for the receipts (unless given), refuse an incomplete answer, or do not wait. */
      coverage?: "wait" | "require" | "accept";
    };
    answer: {
      slowest: {
        trace_id: string;
        span_id: string | null;
        value: number | null;
      } | null;
      typical: {
        trace_id: string;
        span_id: string | null;
        value: number | null;
      } | null;
      failed: {
        trace_id: string;
        span_id: string | null;
        value: number | null;
      } | null;
      median: number | null;
      /** How many of the events are in a trace. */
      events: number;
      start?: string;
      end?: string;
      coverage: Coverage;
      notes: string[];
    };
  };
  /** The fields of a dataset by name. */
  fields: {
    body: {
      /** A dataset's name, or `__all__`. */
      dataset: string;
      filters?: Filter[];
      /** AND unless given. */
      filter_combination?: "AND" | "OR";
      /** Unix seconds. */
      start_time?: number;
      /** Unix seconds. */
      end_time?: number;
      /** Seconds; two hours unless given. */
      time_range?: number;
      /** A part, or * and ?. */
      match?: string;
      /** Exactly this field. */
      name?: string;
      /** Whether events are counted and values shown. */
      details?: boolean;
      limit?: number;
      cursor?: string | null;
      samples?: number;
      /** As the header X-Bellwether-After. */
      after?: string;
      /** Wait for the receipts (unless given), refuse an incomplete answer, or do not wait. */
      coverage?: "wait" | "require" | "accept";
    };
    answer: {
      fields: unknown[];
      next: string | null;
      coverage?: Coverage;
      notes?: string[];
    };
  };
  /** States, what follows what, and which steps ran at the same time. */
  flows: {
    body: {
      filters?: Filter[];
      /** AND unless given. */
      filter_combination?: "AND" | "OR";
      /** Unix seconds. */
      start_time?: number;
      /** Unix seconds. */
      end_time?: number;
      /** Seconds; two hours unless given. */
      time_range?: number;
      /** All of the environment unless given. */
      datasets?: string[];
      instance?: string;
      step?: string;
      next?: string;
      process?: string;
      terminal?: string[];
      silent_s?: number;
      skew_ms?: number;
      repeats_over?: number;
      against?: {
        filters?: Filter[];
        /** AND unless given. */
        filter_combination?: "AND" | "OR";
        /** Unix seconds. */
        start_time?: number;
        /** Unix seconds. */
        end_time?: number;
        /** Seconds; two hours unless given. */
        time_range?: number;
      };
      limit?: number;
      /** As the header X-Bellwether-After. */
      after?: string;
      /** Wait for the receipts (unless given), refuse an incomplete answer, or do not wait. */
      coverage?: "wait" | "require" | "accept";
    };
    answer: {
      coverage?: Coverage;
    };
  };
  /** A column. */
  getColumn: {
    body: undefined;
    answer: {
      id: string;
      key_name: string;
      type: string;
      description: string;
      hidden: boolean;
    };
  };
  /** A dataset. */
  getDataset: {
    body: undefined;
    answer: {
      name: string;
      slug: string;
      description: string;
      expand_json_depth: number;
      retention_days?: number | null;
      settings: {
        delete_protected: boolean;
      };
      regular_columns_count?: number | null;
      last_written_at?: string | null;
      created_at: string;
    };
  };
  /** Which field of the dataset is which part of a span; null: it has none. */
  getDefinitions: {
    body: undefined;
    answer: {
      trace_id?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      parent_id?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      span_id?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      name?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      service_name?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      duration_ms?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      error?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      route?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      status?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      user?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      span_kind?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      annotation_type?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      link_trace_id?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      link_span_id?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      log_message?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      log_severity?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
    };
  };
  /** The one of an id. */
  getDerivedColumn: {
    body: undefined;
    answer: {
      id: string;
      /** The name of the field. */
      alias: string;
      /** What computes it. */
      expression: string;
      description: string;
      created_at: string;
      updated_at: string;
    };
  };
  /** The one of an id. */
  getMarker: {
    body: undefined;
    answer: {
      id: string;
      /** When it is, in unix seconds; by default when the request arrives. */
      start_time?: number;
      /** When it ends, in unix seconds, if it takes time. */
      end_time?: number;
      /** What happened. */
      message?: string;
      /** Markers of one type have one colour. */
      type?: string;
      /** Where the message leads. */
      url?: string;
      created_at: string;
      updated_at: string;
    };
  };
  /** The one of an id. */
  getMarkerSetting: {
    body: undefined;
    answer: {
      id: string;
      /** Markers of one type have one colour. */
      type: string;
      /** As `#F96E11`. */
      color: string;
      created_at: string;
      updated_at: string;
    };
  };
  /** A stored specification, as it was posted. */
  getQuery: {
    body: undefined;
    answer: StoredQuery;
  };
  /** The one of an id. */
  getQueryAnnotation: {
    body: undefined;
    answer: {
      id: string;
      name: string;
      description: string;
      /** The query; it stays the same. */
      query_id: string;
      created_at: string;
      updated_at: string;
    };
  };
  /** A result; `complete` is false while its query runs. */
  getQueryResult: {
    body: undefined;
    answer: {
      query: Record<string, unknown>;
      id: string;
      /** Whether the answer is there: `data` and what stands beside it. */
      complete: boolean;
      links: {
        query_url?: string;
        graph_image_url?: string;
      };
      data?: {
        /** A row per group. */
        results?: {
          /** Values by breakdown and by label of a calculation. */
          data: Record<string, unknown>;
        }[];
        /** Rows, or columns with `series_form`. */
        series?: {
          time: string;
          /** Values by breakdown and by label of a calculation. */
          data: Record<string, unknown>;
        }[] | SeriesColumns;
        /** Values by breakdown and by label of a calculation. */
        total_by_aggregate?: Record<string, unknown>;
        /** Values by breakdown and by label of a calculation. */
        other_by_aggregate?: Record<string, unknown>;
        /** Rows, or columns with `series_form`. */
        total_by_aggregate_series?: {
          time: string;
          /** Values by breakdown and by label of a calculation. */
          data: Record<string, unknown>;
        }[] | SeriesColumns;
      };
      coverage?: Coverage;
      notes?: string[];
      range?: Record<string, unknown>;
      groups?: Record<string, unknown>;
      /** The answer of the earlier range, where one is compared. */
      compare?: {
        offset_s?: number;
        range?: Record<string, unknown>;
        data?: {
          /** A row per group. */
          results?: {
            /** Values by breakdown and by label of a calculation. */
            data: Record<string, unknown>;
          }[];
          /** Rows, or columns with `series_form`. */
          series?: {
            time: string;
            /** Values by breakdown and by label of a calculation. */
            data: Record<string, unknown>;
          }[] | SeriesColumns;
          /** Values by breakdown and by label of a calculation. */
          total_by_aggregate?: Record<string, unknown>;
          /** Values by breakdown and by label of a calculation. */
          other_by_aggregate?: Record<string, unknown>;
          /** Rows, or columns with `series_form`. */
          total_by_aggregate_series?: {
            time: string;
            /** Values by breakdown and by label of a calculation. */
            data: Record<string, unknown>;
          }[] | SeriesColumns;
        };
        only_now?: Record<string, unknown>[];
        only_before?: Record<string, unknown>[];
        coverage?: Coverage;
        notes?: string[];
        groups?: Record<string, unknown>;
      };
    };
  };
  /** The first calculation of a finished result over time, as an image. */
  getQueryResultGraph: {
    body: undefined;
    answer: string;
  };
  /** A page of the columns; with `key_name` that column as an object. */
  listColumns: {
    body: undefined;
    answer: {
      id: string;
      key_name: string;
      type: string;
      description: string;
      hidden: boolean;
    }[] | {
      id: string;
      key_name: string;
      type: string;
      description: string;
      hidden: boolean;
    };
  };
  /** A page of the environment's datasets. */
  listDatasets: {
    body: undefined;
    answer: ({
      name: string;
      slug: string;
      description: string;
      expand_json_depth: number;
      retention_days?: number | null;
      settings: {
        delete_protected: boolean;
      };
      regular_columns_count?: number | null;
      last_written_at?: string | null;
      created_at: string;
    })[];
  };
  /** All of a dataset, or with `__all__` those of the environment itself. */
  listDerivedColumns: {
    body: undefined;
    answer: {
      id: string;
      /** The name of the field. */
      alias: string;
      /** What computes it. */
      expression: string;
      description: string;
      created_at: string;
      updated_at: string;
    }[] | {
      id: string;
      /** The name of the field. */
      alias: string;
      /** What computes it. */
      expression: string;
      description: string;
      created_at: string;
      updated_at: string;
    };
  };
  /** The environment's keys, without their texts. */
  listKeys: {
    body: undefined;
    answer: {
      id: string;
      name: string;
      kind: string;
      rights: Record<string, unknown>;
    }[];
  };
  /** All of a dataset, or with `__all__` those of the environment itself. */
  listMarkerSettings: {
    body: undefined;
    answer: {
      id: string;
      /** Markers of one type have one colour. */
      type: string;
      /** As `#F96E11`. */
      color: string;
      created_at: string;
      updated_at: string;
    }[];
  };
  /** All of a dataset, or with `__all__` those of the environment itself. */
  listMarkers: {
    body: undefined;
    answer: {
      id: string;
      /** When it is, in unix seconds; by default when the request arrives. */
      start_time?: number;
      /** When it ends, in unix seconds, if it takes time. */
      end_time?: number;
      /** What happened. */
      message?: string;
      /** Markers of one type have one colour. */
      type?: string;
      /** Where the message leads. */
      url?: string;
      created_at: string;
      updated_at: string;
    }[];
  };
  /** All of a dataset, or with `__all__` those of the environment itself. */
  listQueryAnnotations: {
    body: undefined;
    answer: {
      id: string;
      name: string;
      description: string;
      /** The query; it stays the same. */
      query_id: string;
      created_at: string;
      updated_at: string;
    }[];
  };
  /** Begin a session with a key, or with the code of a link. */
  logIn: {
    body: {
      key?: string;
      code?: string;
    };
    answer: {
      /** Of the key. */
      name: string;
      team: {
        name: string;
        slug: string;
      };
      environment: {
        name: string;
        slug: string;
      };
      rights: Record<string, unknown>;
    };
  };
  /** End the session in this browser. */
  logOut: {
    body: undefined;
    answer: null;
  };
  /** This document. */
  openapi: {
    body: undefined;
    answer: Record<string, unknown>;
  };
  /** OTLP logs, as protobuf or JSON (docs/otlp.md); over gRPC likewise. */
  otlpLogs: {
    body: Record<string, unknown>;
    answer: Record<string, unknown>;
  };
  /** OTLP metrics, as protobuf or JSON (docs/otlp.md); over gRPC likewise. */
  otlpMetrics: {
    body: Record<string, unknown>;
    answer: Record<string, unknown>;
  };
  /** OTLP traces, as protobuf or JSON (docs/otlp.md); over gRPC likewise. */
  otlpTraces: {
    body: Record<string, unknown>;
    answer: Record<string, unknown>;
  };
  /** What was asked in the environment, by whom, and what it took. */
  queries: {
    body: undefined;
    answer: {
      queries: unknown[];
      next: string | null;
      coverage?: Coverage;
      notes?: string[];
    };
  };
  /** The specification that a text stands for, and what is wrong with it, each at its words. */
  readText: {
    body: {
      text: string;
      /** Of times without one; UTC unless given. */
      zone?: string;
    };
    answer: {
      query: Query | null;
      dataset: string | null;
      range: string | null;
      fault: {
        why: string;
        /** What would work; may be empty. */
        hint: string;
        /** Characters before the words. */
        start: number;
        end: number;
        member: string | null;
        at: number | null;
      } | null;
      faults: ({
        why: string;
        /** What would work; may be empty. */
        hint: string;
        /** Characters before the words. */
        start: number;
        end: number;
        member: string | null;
        at: number | null;
      })[];
      places: ({
        /** Of the specification. */
        member: string;
        at: number | null;
        /** Characters before its words. */
        start: number;
        end: number;
      })[];
    };
  };
  /** Revoke a key. */
  revokeKey: {
    body: undefined;
    answer: null;
  };
  /** The events themselves, the newest first. */
  rows: {
    body: {
      /** A dataset's name, or `__all__`. */
      dataset: string;
      filters?: Filter[];
      /** AND unless given. */
      filter_combination?: "AND" | "OR";
      /** Unix seconds. */
      start_time?: number;
      /** Unix seconds. */
      end_time?: number;
      /** Seconds; two hours unless given. */
      time_range?: number;
      fields?: string[];
      /** Which of their times lie in the range. */
      time_axis?: "start" | "end" | "overlap";
      order?: "newest" | "oldest";
      limit?: number;
      cursor?: string | null;
      /** As the header X-Bellwether-After. */
      after?: string;
      /** Wait for the receipts (unless given), refuse an incomplete answer, or do not wait. */
      coverage?: "wait" | "require" | "accept";
    };
    answer: {
      rows: Row[];
      next: string | null;
      coverage?: Coverage;
      notes?: string[];
    };
  };
  /** Traces by what holds of their spans. */
  searchTraces: {
    body: {
      /** WHERE, a time range and LIMIT, instead of the members. */
      query?: string;
      filters?: Filter[];
      /** AND unless given. */
      filter_combination?: "AND" | "OR";
      /** Unix seconds. */
      start_time?: number;
      /** Unix seconds. */
      end_time?: number;
      /** Seconds; two hours unless given. */
      time_range?: number;
      /** All of the environment unless given. */
      datasets?: string[];
      order?: "newest" | "slowest" | "spans";
      limit?: number;
      /** As the header X-Bellwether-After. */
      after?: string;
      /** Wait for the receipts (unless given), refuse an incomplete answer, or do not wait. */
      coverage?: "wait" | "require" | "accept";
    };
    answer: {
      traces: ({
        trace_id: string;
        start: string;
        duration_ms: number;
        root: {
          name: string | null;
          service: string | null;
          start: string;
          duration_ms?: number | null;
          error: boolean;
        } | null;
        spans: number;
        errors: number;
        services: string[];
      })[];
      /** All that were found, of which some are listed. */
      found: number;
      start?: string;
      end?: string;
      /** Around the range, where other spans were looked for. */
      margin_s: number;
      coverage: Coverage;
      notes: string[];
    };
  };
  /** Store many events; each has its own status in the answer, in order. */
  sendBatch: {
    body: {
      /** Any JSON object. */
      data: Record<string, unknown>;
      /** RFC 3339, or a unix time in s, ms, us or ns; now unless given. */
      time?: unknown;
      samplerate?: number;
    }[];
    answer: {
      status: number;
      error?: string;
    }[];
  };
  /** Store one event. */
  sendEvent: {
    body: Record<string, unknown>;
    answer: unknown;
  };
  /** Whose session it is: of the page's cookie, or of the key that is sent. */
  session: {
    body: undefined;
    answer: {
      /** Of the key. */
      name: string;
      team: {
        name: string;
        slug: string;
      };
      environment: {
        name: string;
        slug: string;
      };
      rights: Record<string, unknown>;
    };
  };
  /** Roles, partitions, indexers, shepherds. */
  status: {
    body: undefined;
    answer: {
      roles?: unknown[];
      log?: unknown[];
    };
  };
  /** The fields of all stored events and what is known of their values; no event is read. */
  storedFields: {
    body: undefined;
    answer: {
      fields: unknown[];
      next: string | null;
      stored: number;
      live?: number;
      bytes: number;
      coverage: Coverage;
      notes: string[];
    };
  };
  /** Values of a field that begin with a prefix, in any case: for completion. */
  storedValues: {
    body: undefined;
    answer: {
      field: string;
      values: {
        value: unknown;
        stored: number;
      }[];
      /** Whether there may be more of them. */
      more: boolean;
      coverage: Coverage;
      notes: string[];
    };
  };
  /** Follow the events as they are indexed: one JSON object per line, until one hangs up. */
  tail: {
    body: undefined;
    answer: string;
  };
  /** Follow the events that match. */
  tailSome: {
    body: {
      filters?: Filter[];
      /** AND unless given. */
      filter_combination?: "AND" | "OR";
      calculated_fields?: CalculatedField[];
      fields?: string[];
    };
    answer: string;
  };
  /** One trace as a tree. */
  trace: {
    body: undefined;
    answer: {
      trace_id: string;
      /** Each span before those below it. */
      lines: ({
        kind: "span" | "missing" | "event" | "link";
        depth: number;
        /** Of what happened in a span: that span. */
        span_id: string;
        start: string;
        /** From the trace's start. */
        offset_ms: number;
        duration_ms: number | null;
        spans_below?: number;
        parent_id?: string | null;
        name?: string;
        service?: string;
        dataset?: string;
        error?: boolean;
        /** Fields that say so. */
        error_by?: string[];
        self_ms?: number | null;
        link?: {
          trace_id: string;
          span_id: string;
        };
        span_kind?: string;
        process?: string;
        marks?: string[];
        outside_parent_ms?: number;
        message?: string;
        /** Those that were asked for, as far as it has them. */
        fields?: Record<string, unknown>;
        /** Of a span that has not ended, as far as is known. */
        open?: {
          how: "inferred" | "announced" | "interrupted" | "unknown";
          known_by: "inferred" | "announced" | "interrupted" | "unknown";
          since: string;
          /** The last sign of it. */
          last: string;
          why: string;
        };
      })[];
      next: string | null;
      first_line?: number;
      lines_in_all?: number;
      start?: string;
      end?: string;
      duration_ms?: number;
      spans?: number;
      events?: number;
      linked?: number;
      errors?: number;
      roots?: number;
      missing?: number;
      outside_parent?: number;
      open?: Record<string, number>;
      marks?: Record<string, number>;
      services?: Record<string, number>;
      datasets?: Record<string, number>;
      judged_at?: string;
      silent_s?: number;
      skew_ms?: number;
      links?: {
        from: ({
          trace_id: string;
          span_id: string;
          /** The span of this trace. */
          own_span_id: string;
          start?: string;
          duration_ms?: number;
          name?: string | null;
          service?: string | null;
          spans?: number;
          errors?: number;
          /** Why nothing is known of it. */
          note?: string;
        })[];
        to: ({
          trace_id: string;
          span_id: string;
          /** The span of this trace. */
          own_span_id: string;
          start?: string;
          duration_ms?: number;
          name?: string | null;
          service?: string | null;
          spans?: number;
          errors?: number;
          /** Why nothing is known of it. */
          note?: string;
        })[];
      };
      coverage: Coverage;
      notes: string[];
    };
  };
  /** Change type, description and `hidden`. */
  updateColumn: {
    body: {
      /** What is shown as its type; no event is refused. */
      type?: "string" | "float" | "integer" | "boolean";
      description?: string;
      /** Not suggested to people. */
      hidden?: boolean;
    };
    answer: {
      id: string;
      key_name: string;
      type: string;
      description: string;
      hidden: boolean;
    };
  };
  /** Change what is said about a dataset. */
  updateDataset: {
    body: {
      description?: string;
      /** Objects in fields become fields, to this depth. */
      expand_json_depth?: number;
      /** How long events are kept; 0: the installation's setting. */
      retention_days?: number;
      settings?: {
        /** Deleting the dataset is refused. */
        delete_protected?: boolean;
      };
    };
    answer: {
      name: string;
      slug: string;
      description: string;
      expand_json_depth: number;
      retention_days?: number | null;
      settings: {
        delete_protected: boolean;
      };
      regular_columns_count?: number | null;
      last_written_at?: string | null;
      created_at: string;
    };
  };
  /** Define some parts; an empty name, or null, is the default. */
  updateDefinitions: {
    body: {
      /** The trace that the span belongs to. */
      trace_id?: {
        /** The field; empty: the default. */
        name: string;
        /** Said in answers, not read. */
        column_type?: string;
      } | null;
      /** The span that called it. */
      parent_id?: {
        /** The field; empty: the default. */
        name: string;
        /** Said in answers, not read. */
        column_type?: string;
      } | null;
      /** The span itself. */
      span_id?: {
        /** The field; empty: the default. */
        name: string;
        /** Said in answers, not read. */
        column_type?: string;
      } | null;
      /** The operation. */
      name?: {
        /** The field; empty: the default. */
        name: string;
        /** Said in answers, not read. */
        column_type?: string;
      } | null;
      /** The service. */
      service_name?: {
        /** The field; empty: the default. */
        name: string;
        /** Said in answers, not read. */
        column_type?: string;
      } | null;
      /** How long it took, in ms. */
      duration_ms?: {
        /** The field; empty: the default. */
        name: string;
        /** Said in answers, not read. */
        column_type?: string;
      } | null;
      /** Whether it failed. */
      error?: {
        /** The field; empty: the default. */
        name: string;
        /** Said in answers, not read. */
        column_type?: string;
      } | null;
      /** The route of a request. */
      route?: {
        /** The field; empty: the default. */
        name: string;
        /** Said in answers, not read. */
        column_type?: string;
      } | null;
      /** The status of a response. */
      status?: {
        /** The field; empty: the default. */
        name: string;
        /** Said in answers, not read. */
        column_type?: string;
      } | null;
      /** Who made the request. */
      user?: {
        /** The field; empty: the default. */
        name: string;
        /** Said in answers, not read. */
        column_type?: string;
      } | null;
      /** Client, server and so on. */
      span_kind?: {
        /** The field; empty: the default. */
        name: string;
        /** Said in answers, not read. */
        column_type?: string;
      } | null;
      /** What an event is that is no span of its own. */
      annotation_type?: {
        /** The field; empty: the default. */
        name: string;
        /** Said in answers, not read. */
        column_type?: string;
      } | null;
      /** The trace that a link leads to. */
      link_trace_id?: {
        /** The field; empty: the default. */
        name: string;
        /** Said in answers, not read. */
        column_type?: string;
      } | null;
      /** The span that a link leads to. */
      link_span_id?: {
        /** The field; empty: the default. */
        name: string;
        /** Said in answers, not read. */
        column_type?: string;
      } | null;
      /** The text of a log line. */
      log_message?: {
        /** The field; empty: the default. */
        name: string;
        /** Said in answers, not read. */
        column_type?: string;
      } | null;
      /** Its severity. */
      log_severity?: {
        /** The field; empty: the default. */
        name: string;
        /** Said in answers, not read. */
        column_type?: string;
      } | null;
    };
    answer: {
      trace_id?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      parent_id?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      span_id?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      name?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      service_name?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      duration_ms?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      error?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      route?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      status?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      user?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      span_kind?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      annotation_type?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      link_trace_id?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      link_span_id?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      log_message?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
      log_severity?: {
        name: string;
        column_type?: "column" | "derived_column";
      } | null;
    };
  };
  /** Replace all members; one that is left out becomes empty. */
  updateDerivedColumn: {
    body: {
      /** The name of the field. */
      alias?: string;
      /** What computes it. */
      expression: string;
      description?: string;
    };
    answer: {
      id: string;
      /** The name of the field. */
      alias: string;
      /** What computes it. */
      expression: string;
      description: string;
      created_at: string;
      updated_at: string;
    };
  };
  /** Replace all members; one that is left out becomes empty. */
  updateMarker: {
    body: {
      /** When it is, in unix seconds; by default when the request arrives. */
      start_time?: number;
      /** When it ends, in unix seconds, if it takes time. */
      end_time?: number;
      /** What happened. */
      message?: string;
      /** Markers of one type have one colour. */
      type?: string;
      /** Where the message leads. */
      url?: string;
    };
    answer: {
      id: string;
      /** When it is, in unix seconds; by default when the request arrives. */
      start_time?: number;
      /** When it ends, in unix seconds, if it takes time. */
      end_time?: number;
      /** What happened. */
      message?: string;
      /** Markers of one type have one colour. */
      type?: string;
      /** Where the message leads. */
      url?: string;
      created_at: string;
      updated_at: string;
    };
  };
  /** Replace all members; one that is left out becomes empty. */
  updateMarkerSetting: {
    body: {
      /** Markers of one type have one colour. */
      type?: string;
      /** As `#F96E11`. */
      color: string;
    };
    answer: {
      id: string;
      /** Markers of one type have one colour. */
      type: string;
      /** As `#F96E11`. */
      color: string;
      created_at: string;
      updated_at: string;
    };
  };
  /** Replace all members; one that is left out becomes empty. */
  updateQueryAnnotation: {
    body: {
      name: string;
      description?: string;
      /** The query; it stays the same. */
      query_id: string;
    };
    answer: {
      id: string;
      name: string;
      description: string;
      /** The query; it stays the same. */
      query_id: string;
      created_at: string;
      updated_at: string;
    };
  };
  /** The text that stands for a specification; null where no text does. */
  writeText: {
    body: {
      query: Query;
      /** To be named after FROM. */
      dataset?: string;
      /** Words of a range, in the place of the query's own times. */
      range?: string;
      /** Of times without one in `range`; UTC unless given. */
      zone?: string;
    };
    answer: {
      text: string | null;
    };
  };
  /** Which service calls which, and how often. */
  zipkinDependencies: {
    body: undefined;
    answer: {
      parent?: string;
      child?: string;
      callCount?: number;
    }[];
  };
  /** Names of the services that a service calls. */
  zipkinRemoteServices: {
    body: undefined;
    answer: string[];
  };
  /** Names of services. */
  zipkinServices: {
    body: undefined;
    answer: string[];
  };
  /** Names of a service's spans. */
  zipkinSpanNames: {
    body: undefined;
    answer: string[];
  };
  /** Zipkin's spans, version 2, as JSON or protobuf (docs/zipkin.md). */
  zipkinSpans: {
    body: Record<string, unknown>[];
    answer: null;
  };
  /** Zipkin's spans, version 1, as JSON. */
  zipkinSpansOfVersion1: {
    body: Record<string, unknown>[];
    answer: null;
  };
  /** The spans of a trace. */
  zipkinTrace: {
    body: undefined;
    answer: {
      traceId: string;
      id: string;
    }[];
  };
  /** The spans of several traces. */
  zipkinTraceMany: {
    body: undefined;
    answer: {
      traceId: string;
      id: string;
    }[][];
  };
  /** Traces by conditions. */
  zipkinTraces: {
    body: undefined;
    answer: {
      traceId: string;
      id: string;
    }[][];
  };
}

export const PATHS = {
  alive: ["GET", "/x/alive"],
  auth: ["GET", "/1/auth"],
  compareTraces: ["POST", "/bw/1/traces/compare"],
  createColumn: ["POST", "/1/columns/{dataset}"],
  createDataset: ["POST", "/1/datasets"],
  createDerivedColumn: ["POST", "/1/derived_columns/{dataset}"],
  createKey: ["POST", "/bw/1/keys"],
  createMarker: ["POST", "/1/markers/{dataset}"],
  createMarkerSetting: ["POST", "/1/marker_settings/{dataset}"],
  createQuery: ["POST", "/1/queries/{dataset}"],
  createQueryAnnotation: ["POST", "/1/query_annotations/{dataset}"],
  createQueryResult: ["POST", "/1/query_results/{dataset}"],
  cut: ["POST", "/bw/1/cut"],
  deleteColumn: ["DELETE", "/1/columns/{dataset}/{id}"],
  deleteDataset: ["DELETE", "/1/datasets/{dataset}"],
  deleteDerivedColumn: ["DELETE", "/1/derived_columns/{dataset}/{id}"],
  deleteMarker: ["DELETE", "/1/markers/{dataset}/{id}"],
  deleteMarkerSetting: ["DELETE", "/1/marker_settings/{dataset}/{id}"],
  deleteQueryAnnotation: ["DELETE", "/1/query_annotations/{dataset}/{id}"],
  differences: ["POST", "/bw/1/differences"],
  endQueryResult: ["DELETE", "/1/query_results/{dataset}/{id}"],
  exampleTraces: ["POST", "/bw/1/traces/examples"],
  fields: ["POST", "/bw/1/fields"],
  flows: ["POST", "/bw/1/flows"],
  getColumn: ["GET", "/1/columns/{dataset}/{id}"],
  getDataset: ["GET", "/1/datasets/{dataset}"],
  getDefinitions: ["GET", "/1/dataset_definitions/{dataset}"],
  getDerivedColumn: ["GET", "/1/derived_columns/{dataset}/{id}"],
  getMarker: ["GET", "/1/markers/{dataset}/{id}"],
  getMarkerSetting: ["GET", "/1/marker_settings/{dataset}/{id}"],
  getQuery: ["GET", "/1/queries/{dataset}/{id}"],
  getQueryAnnotation: ["GET", "/1/query_annotations/{dataset}/{id}"],
  getQueryResult: ["GET", "/1/query_results/{dataset}/{id}"],
  getQueryResultGraph: ["GET", "/1/query_results/{dataset}/{id}/graph.svg"],
  listColumns: ["GET", "/1/columns/{dataset}"],
  listDatasets: ["GET", "/1/datasets"],
  listDerivedColumns: ["GET", "/1/derived_columns/{dataset}"],
  listKeys: ["GET", "/bw/1/keys"],
  listMarkerSettings: ["GET", "/1/marker_settings/{dataset}"],
  listMarkers: ["GET", "/1/markers/{dataset}"],
  listQueryAnnotations: ["GET", "/1/query_annotations/{dataset}"],
  logIn: ["POST", "/ui/session"],
  logOut: ["DELETE", "/ui/session"],
  openapi: ["GET", "/bw/1/openapi.json"],
  otlpLogs: ["POST", "/v1/logs"],
  otlpMetrics: ["POST", "/v1/metrics"],
  otlpTraces: ["POST", "/v1/traces"],
  queries: ["GET", "/bw/1/queries"],
  readText: ["POST", "/bw/1/text/read"],
  revokeKey: ["DELETE", "/bw/1/keys/{id}"],
  rows: ["POST", "/bw/1/rows"],
  searchTraces: ["POST", "/bw/1/traces"],
  sendBatch: ["POST", "/1/batch/{dataset}"],
  sendEvent: ["POST", "/1/events/{dataset}"],
  session: ["GET", "/ui/session"],
  status: ["GET", "/bw/1/status"],
  storedFields: ["GET", "/bw/1/fields/{dataset}"],
  storedValues: ["GET", "/bw/1/fields/{dataset}/values/{field}"],
  tail: ["GET", "/bw/1/tail/{dataset}"],
  tailSome: ["POST", "/bw/1/tail/{dataset}"],
  trace: ["GET", "/bw/1/traces/{trace_id}"],
  updateColumn: ["PUT", "/1/columns/{dataset}/{id}"],
  updateDataset: ["PUT", "/1/datasets/{dataset}"],
  updateDefinitions: ["PATCH", "/1/dataset_definitions/{dataset}"],
  updateDerivedColumn: ["PUT", "/1/derived_columns/{dataset}/{id}"],
  updateMarker: ["PUT", "/1/markers/{dataset}/{id}"],
  updateMarkerSetting: ["PUT", "/1/marker_settings/{dataset}/{id}"],
  updateQueryAnnotation: ["PUT", "/1/query_annotations/{dataset}/{id}"],
  writeText: ["POST", "/bw/1/text/write"],
  zipkinDependencies: ["GET", "/api/v2/dependencies"],
  zipkinRemoteServices: ["GET", "/api/v2/remoteServices"],
  zipkinServices: ["GET", "/api/v2/services"],
  zipkinSpanNames: ["GET", "/api/v2/spans"],
  zipkinSpans: ["POST", "/api/v2/spans"],
  zipkinSpansOfVersion1: ["POST", "/api/v1/spans"],
  zipkinTrace: ["GET", "/api/v2/trace/{trace_id}"],
  zipkinTraceMany: ["GET", "/api/v2/traceMany"],
  zipkinTraces: ["GET", "/api/v2/traces"],
} as const;
