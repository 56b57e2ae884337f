// The API as a page: its document shown, from this server alone, for anyone.

import { useEffect, useMemo, useState } from "preact/hooks";
import { groupsOf, anchorOf, matching, schemaAnchor, type Group, type OpenApi } from "./document";
import { OperationPart } from "./operation";
import { SchemaTree } from "./schema";

const ADDRESS = "/bw/1/openapi.json";

export function Docs() {
  const [api, setApi] = useState<OpenApi | null>(null);
  const [failed, setFailed] = useState("");
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    setFailed("");
    fetch(ADDRESS).then(
      async (response) => {
        if (!response.ok) throw new Error(`The server answered ${response.status}.`);
        setApi((await response.json()) as OpenApi);
      },
    ).catch((reason: unknown) => setFailed(reason instanceof TypeError ? "The server cannot be reached." : String(reason)));
  }, [turn]);
  if (api) return <Shown api={api} />;
  if (!failed) return null;
  return (
    <main class="page-main">
      <p class="error" role="alert">✕ {failed}</p>
      <button onClick={() => setTurn(turn + 1)}>Try again</button>
    </main>
  );
}

function Shown({ api }: { api: OpenApi }) {
  const all = useMemo(() => groupsOf(api), [api]);
  const [search, setSearch] = useState(() => new URLSearchParams(location.search).get("search") ?? "");
  const groups = matching(all, search);
  const count = groups.reduce((sum, group) => sum + group.operations.length, 0);
  const find = (words: string) => {
    setSearch(words);
    history.replaceState(null, "", `/docs${words ? `?search=${encodeURIComponent(words)}` : ""}${location.hash}`);
  };
  // The anchor of the address is there only now.
  useEffect(() => document.getElementById(location.hash.slice(1))?.scrollIntoView(), []);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target instanceof HTMLInputElement) return;
      event.preventDefault();
      document.getElementById("docs-search")?.focus();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  const schemas = Object.entries(api.components.schemas);
  return (
    <>
      <header class="page-header">
        <a class="name" href="/ui/">bellwether</a>
        <span class="quiet">API {api.info.version}</span>
        <span class="grow" />
        <label for="docs-search">Search</label>
        <input id="docs-search" type="search" value={search} placeholder="a path, a member, a word" title="/" onInput={(event) => find(event.currentTarget.value)} />
        <span class="small quiet" role="status">{search && `${count} of ${all.reduce((sum, one) => sum + one.operations.length, 0)} operations`}</span>
      </header>
      <div class="docs">
        <Contents groups={groups} schemas={schemas.map(([name]) => name)} />
        <main class="docs-main">
          <h1>The API of {api.info.title}</h1>
          <p>{api.info.description}</p>
          <p class="quiet">
            Send the key in the header <code>X-Honeycomb-Team</code>. The document itself is at <a href={ADDRESS}>{ADDRESS}</a>.
          </p>
          {!groups.length && <p class="quiet">No operation has these words. Each word is looked for in paths, members and descriptions.</p>}
          {groups.map((group) => (
            <section key={group.name} aria-label={group.name} class="block">
              <h2>{group.name}</h2>
              {group.operations.map((told) => <OperationPart key={told.of.operationId} {...{ api, told }} />)}
            </section>
          ))}
          <section aria-label="Schemas" class="block">
            <h2>Schemas</h2>
            {schemas.map(([name, schema]) => (
              <section key={name} class="docs-operation" id={schemaAnchor(name)}>
                <h3><a href={`#${schemaAnchor(name)}`}>{name}</a></h3>
                <SchemaTree schema={schema} />
              </section>
            ))}
          </section>
        </main>
      </div>
    </>
  );
}

function Contents({ groups, schemas }: { groups: readonly Group[]; schemas: readonly string[] }) {
  const wide = matchMedia("(min-width: 900px)").matches;
  return (
    <nav class="docs-contents small" aria-label="Operations">
      <details open={wide}>
        <summary>Contents</summary>
        {groups.map(({ name, operations }) => (
          <div key={name}>
            <h2 class="small">{name}</h2>
            <ul>
              {operations.map(({ method, path, of }) => (
                <li key={of.operationId}>
                  <a href={`#${anchorOf(of)}`} title={of.summary}><span class="docs-method">{method}</span> {path}</a>
                </li>
              ))}
            </ul>
          </div>
        ))}
        <h2 class="small">Schemas</h2>
        <ul>{schemas.map((name) => <li key={name}><a href={`#${schemaAnchor(name)}`}>{name}</a></li>)}</ul>
      </details>
    </nav>
  );
}
