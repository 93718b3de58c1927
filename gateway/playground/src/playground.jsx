// The page: header with the persona switch, one line on what to do first, and GraphiQL with our tabs and RPC panel.

import { GraphiQL } from "graphiql";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { createFetcher } from "./fetcher.js";
import { restoreTabs, seedTabs } from "./operations.js";
import { Personas, signIn } from "./personas.jsx";
import { RpcPanel } from "./rpcs.jsx";
import { createStorage } from "./storage.js";
import { TabStrip } from "./tabs.jsx";
import { createValues } from "./values.js";

const FIRST_PERSONA = "shopper";
const EMPTY_TAB = "# Write an operation here: Ctrl-Space shows what fits, Ctrl-Enter runs it.\n";
const START_HERE = "Press ▶ or Ctrl-Enter to run the open tab, then go on to the right: the tabs lead through a purchase.";
const SIGNED_OUT = "The shop asks who you are. Choose a persona above, or press yours again if its session ran out.";

export function Playground({ setup, failure }) {
  const { personas, operations } = setup;
  const [persona, setPersona] = useState(setup.persona);
  const [name, setName] = useState("");
  const [problem, setProblem] = useState(failure ?? "");
  const { storage, fetcher, costs, active, setActive } = useMachinery(operations);

  const become = useCallback(async wanted => {
    try {
      const answer = await signIn(wanted);
      setPersona(answer.persona ?? wanted);
      setName(answer.name ?? "");
      setProblem("");
    } catch (error) {
      setProblem(`Signing in as ${wanted} failed: ${error.message}.`);
    }
  }, []);

  // Nobody chose yet: a newcomer starts signed in, and can buy at once.
  const unchosen = setup.persona === null && personas.some(({ persona }) => persona === FIRST_PERSONA);
  useEffect(() => {
    if (unchosen) {
      void become(FIRST_PERSONA);
    }
  }, [unchosen, become]);

  const restore = useCallback(() => {
    restoreTabs(storage, operations);
    storage.freeze();
    window.location.reload();
  }, [storage, operations]);

  const operation = operations.find(({ id }) => id === active);
  const who = name || personas.find(entry => entry.persona === persona)?.name;
  return (
    <>
      <header className="bar">
        <h1>
          Shop <span>playground</span>
        </h1>
        <span className="whoami" role="status">
          {who && (
            <>
              You are <strong>{who}</strong>
            </>
          )}
        </span>
        <Personas personas={personas} current={persona} onSwitch={become} />
      </header>
      <Guide
        problem={problem || (costs[active]?.signedOut ? SIGNED_OUT : "")}
        operation={operation}
        persona={persona}
        personas={personas}
        started={Object.keys(costs).length > 0}
        onBecome={become}
      />
      <main>
        <GraphiQL
          fetcher={fetcher}
          storage={storage}
          shouldPersistHeaders={false}
          defaultQuery={EMPTY_TAB}
          defaultEditorToolsVisibility="variables"
        >
          <GraphiQL.Logo>
            <TabStrip operations={operations} persona={persona} onActive={setActive} onRestore={restore} />
          </GraphiQL.Logo>
          <GraphiQL.Footer>
            <RpcPanel costs={costs} />
          </GraphiQL.Footer>
        </GraphiQL>
      </main>
    </>
  );
}

/** What lives as long as the page: the storage, seeded once, and the fetcher, whose identity GraphiQL watches. */
function useMachinery(operations) {
  const [costs, setCosts] = useState({});
  const [active, showActive] = useState(null);
  const activeNow = useRef(null);
  const setActive = useCallback(id => {
    activeNow.current = id;
    showActive(id);
  }, []);
  const storage = useMemo(() => {
    const created = createStorage("localStorage");
    seedTabs(created, operations);
    return created;
  }, [operations]);
  const fetcher = useMemo(
    () =>
      createFetcher({
        activeTab: () => activeNow.current,
        report: (tab, cost) => setCosts(all => ({ ...all, [tab]: cost })),
        operations,
        values: createValues(createStorage("sessionStorage")),
      }),
    [operations],
  );
  return { storage, fetcher, costs, active, setActive };
}

/** One line: what went wrong, else who this operation is for, else what to do first (until something ran) and what the open tab does. */
function Guide({ problem, operation, persona, personas, started, onBecome }) {
  if (problem) {
    return (
      <p className="guide guide-problem" role="alert">
        {problem}
      </p>
    );
  }
  const needed = personas.find(entry => entry.persona === operation?.persona);
  if (needed && needed.persona !== persona) {
    return (
      <p className="guide">
        “{operation.title}” is for the persona {needed.title.toLowerCase()}.
        <button type="button" onClick={() => onBecome(needed.persona)}>
          Sign in as {needed.title.toLowerCase()}
        </button>
      </p>
    );
  }
  return (
    <p className="guide">
      {!(started && operation?.hint) && (
        <span>
          <strong>Start here.</strong> {START_HERE}
        </span>
      )}
      {operation?.hint && (
        <span className="guide-hint" title={operation.hint}>
          {operation.hint}
        </span>
      )}
    </p>
  );
}
