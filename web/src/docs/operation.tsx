// One operation: what it takes, what it answers, and a line that asks for it.

import { useState } from "preact/hooks";
import { toClipboard } from "../parts/clipboard";
import { anchorOf, nameOf, schemaAnchor, type Answer, type OpenApi, type Parameter, type Told } from "./document";
import { curlOf, exampleOf } from "./example";
import { Said, SchemaTree, TypeWords } from "./schema";

export function OperationPart({ api, told }: { api: OpenApi; told: Told }) {
  const { of, method, path } = told;
  const answers = Object.entries(of.responses);
  const successes = answers.filter(([status]) => Number(status) < 400);
  const errors = answers.filter(([status]) => Number(status) >= 400);
  const kinds = Object.entries(of.requestBody?.content ?? {});
  const body = kinds.find(([, media]) => media.schema)?.[1].schema;
  return (
    <section class="docs-operation" id={anchorOf(of)} aria-labelledby={`${anchorOf(of)}-name`}>
      <h3 id={`${anchorOf(of)}-name`}>
        <a href={`#${anchorOf(of)}`}><span class="docs-method">{method}</span> <code>{path}</code></a>
      </h3>
      <p><Said text={of.summary} />{of.security?.length === 0 && <span class="quiet"> Needs no key.</span>}</p>
      {of.description && <p class="quiet"><Said text={of.description} /></p>}
      <Curl text={curlOf(api, told)} about={`${method} ${path}`} />
      {of.parameters && <Parameters all={of.parameters} />}
      {body && (
        <>
          <h4>Body <span class="quiet small">{kinds.map(([kind]) => kind).join(", ")}{of.requestBody?.required === false && "; may be left out"}</span></h4>
          <SchemaTree schema={body} />
        </>
      )}
      <h4>Answers</h4>
      {successes.map(([status, answer]) => <Success key={status} {...{ api, status, answer }} />)}
      {errors.length > 0 && (
        <details>
          <summary class="small">Errors: {errors.map(([status]) => status).join(", ")}</summary>
          <ul class="docs-members small">
            {errors.map(([status, answer]) => <li key={status}><ErrorLine {...{ status, answer }} /></li>)}
          </ul>
        </details>
      )}
    </section>
  );
}

function Parameters({ all }: { all: readonly Parameter[] }) {
  return (
    <>
      <h4>Parameters</h4>
      <ul class="docs-members small">
        {all.map((one) => (
          <li key={`${one.in} ${one.name}`}>
            <code>{one.name}</code> <span class="quiet">in the {one.in}</span> <TypeWords schema={one.schema} />
            {one.required && <strong> needed</strong>}
            {one.description && <span class="quiet"> – <Said text={one.description} /></span>}
          </li>
        ))}
      </ul>
    </>
  );
}

function Success({ api, status, answer }: { api: OpenApi; status: string; answer: Answer }) {
  const [kind, media] = Object.entries(answer.content ?? {})[0] ?? [];
  const schema = media?.schema;
  const example = media?.example ?? (schema && kind === "application/json" ? exampleOf(api, schema) : undefined);
  return (
    <>
      <p class="small"><strong>{status}</strong> <Said text={answer.description} /> {kind && <span class="quiet">{kind}</span>}</p>
      {schema && <SchemaTree schema={schema} />}
      {example !== undefined && (
        <details>
          <summary class="small">Example</summary>
          <pre class="mono docs-code" tabIndex={0}>{JSON.stringify(example, null, 2)}</pre>
        </details>
      )}
    </>
  );
}

function ErrorLine({ status, answer }: { status: string; answer: Answer }) {
  const ref = Object.values(answer.content ?? {})[0]?.schema?.$ref;
  const headers = Object.entries(answer.headers ?? {});
  return (
    <>
      <strong>{status}</strong> <Said text={answer.description} />{" "}
      {ref && <a href={`#${schemaAnchor(nameOf(ref))}`}>{nameOf(ref)}</a>}
      {headers.map(([name, { description }]) => <span key={name} class="quiet"> <code>{name}</code>: {description}</span>)}
    </>
  );
}

function Curl({ text, about }: { text: string; about: string }) {
  const [said, setSaid] = useState("Copy");
  const copy = () => toClipboard(text).then(() => setSaid("Copied"), () => setSaid("The browser does not let this page copy"));
  return (
    <div class="docs-curl">
      <pre class="mono docs-code" tabIndex={0}>{text}</pre>
      <button class="small" onClick={copy} aria-label={`Copy the line for ${about}`}>{said}</button>
    </div>
  );
}
