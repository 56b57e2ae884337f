// What a value may be, in words, and the members of an object as lines.

import { nameOf, schemaAnchor, type Schema } from "./document";

/** A description: what stands between backticks is code. */
export function Said({ text }: { text: string }) {
  return <>{text.split("`").map((part, at) => (at % 2 ? <code key={at}>{part}</code> : part))}</>;
}

/** The type with its bounds. */
export function TypeWords({ schema }: { schema: Schema }) {
  if (schema.$ref) {
    const name = nameOf(schema.$ref);
    return <a href={`#${schemaAnchor(name)}`}>{name}</a>;
  }
  if (schema.enum) return <>{schema.enum.length > 1 ? "one of " : ""}{schema.enum.map((one, at) => <span key={one}>{at > 0 && ", "}<code>{one}</code></span>)}</>;
  if (schema.anyOf) {
    return <>{schema.anyOf.map((one, at) => <span key={at}>{at > 0 && " or "}<TypeWords schema={one} /></span>)}</>;
  }
  switch (schema.type) {
    case "array":
      return <>list{bounds(schema.minItems, schema.maxItems, "")} of <TypeWords schema={schema.items ?? {}} /></>;
    case "string":
      return <>text{bounds(schema.minLength, schema.maxLength, " characters")}</>;
    case "integer":
      return <>whole number{range(schema)}</>;
    case "number":
      return <>number{range(schema)}</>;
    case "boolean":
      return <>true or false</>;
    case "null":
      return <>null</>;
    case "object":
      return <>object</>;
    default:
      return <>any value</>;
  }
}

const counted = (value: number) => value.toLocaleString("en-US");

function bounds(least: number | undefined, most: number | undefined, unit: string): string {
  if (least !== undefined && most !== undefined) return ` of ${counted(least)} to ${counted(most)}${unit}`;
  if (most !== undefined) return ` of at most ${counted(most)}${unit}`;
  return least === undefined ? "" : ` of at least ${counted(least)}${unit || ""}`;
}

function range({ minimum, maximum }: Schema): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${counted(minimum)} to ${counted(maximum)}`;
  if (minimum !== undefined) return ` of at least ${counted(minimum)}`;
  return maximum === undefined ? "" : ` of at most ${counted(maximum)}`;
}

/** The objects in a schema whose members can be listed. */
function inside(schema: Schema): Schema[] {
  if (schema.anyOf) return schema.anyOf.flatMap(inside);
  if (schema.type === "array" && schema.items) return inside(schema.items);
  return schema.properties && Object.keys(schema.properties).length ? [schema] : [];
}

/** A schema as a line, and its members under it. */
export function SchemaTree({ schema }: { schema: Schema }) {
  return (
    <>
      <p class="small"><TypeWords schema={schema} />{schema.description && <span class="quiet"> – <Said text={schema.description} /></span>}</p>
      <Members schema={schema} />
    </>
  );
}

function Members({ schema }: { schema: Schema }) {
  const objects = inside(schema);
  return (
    <>
      {objects.map((one, at) => (
        <ul key={at} class="docs-members small">
          {Object.entries(one.properties ?? {}).map(([name, member]) => (
            <li key={name}>
              <code>{name}</code> <TypeWords schema={member} />
              {one.required?.includes(name) && <strong> needed</strong>}
              {member.description && <span class="quiet"> – <Said text={member.description} /></span>}
              <Members schema={member} />
            </li>
          ))}
        </ul>
      ))}
    </>
  );
}
