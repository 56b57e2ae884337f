// Which fields of a dataset hold values of several types: what is asked about one of their values has
// to say which of them it means (api/mixed.ts).

import { useEffect, useState } from "preact/hooks";
import { kindsOf } from "../../../../api/mixed";
import { fieldsOf } from "./facts";

const NONE: ReadonlySet<string> = new Set();

/** None until it is known. */
export function useMixed(dataset: string): ReadonlySet<string> {
  const [mixed, setMixed] = useState(NONE);
  useEffect(() => {
    let left = false;
    void fieldsOf(dataset).then((fields) => {
      const several = fields.filter((field) => kindsOf(field.types) > 1).map((field) => field.name);
      if (!left) setMixed(several.length ? new Set(several) : NONE);
    });
    return () => {
      left = true;
    };
  }, [dataset]);
  return mixed;
}
