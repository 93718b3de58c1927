// How GraphiQL reaches the edge: queries and mutations by POST /graphql, subscriptions by graphql-transport-ws.
// Takes the RPC report out of each answer, so that the shown JSON is what any client gets.

import { Kind, parse } from "graphql";
import { createClient } from "graphql-ws";

const CLIENT = "playground";
const WATCH_RETRIES_MAX = 3;

/**
 * `activeTab()` names the tab in view, `report(tab, cost)` receives what an answer cost, null when none was asked.
 * `operations` and `values` serve the placeholders of ready operations.
 */
export function createFetcher({ activeTab, report, operations, values }) {
  const sockets = createClient({
    url: socketUrl(window.location),
    connectionParams: { "x-shop-client": CLIENT },
    retryAttempts: WATCH_RETRIES_MAX,
  });
  return (params, options) => {
    if (params.operationName === "IntrospectionQuery") {
      return post(params, options?.headers).then(({ body }) => body);
    }
    const tab = activeTab();
    const { variables, used, missing } = values.fill(params.variables);
    if (missing.length > 0) {
      report(tab, null);
      return Promise.resolve(refusal(missing, operations));
    }
    const operation = chosenOperation(params);
    const run = {
      request: { ...params, variables, operationName: operation?.name?.value ?? params.operationName },
      headers: options?.headers,
      remember: operations.find(({ id }) => id === tab)?.remember ?? {},
      stillOpen: () => activeTab() === tab,
      values,
      report: cost => report(tab, { ...cost, used }),
    };
    return operation?.operation === "subscription" ? watch(sockets, run) : ask(run);
  };
}

async function ask({ request, headers, remember, stillOpen, values, report }) {
  const started = performance.now();
  const { body } = await post(request, headers);
  const tookMs = performance.now() - started;
  const { shown, rpcs } = split(body);
  values.learn(remember, shown?.data);
  report({ rpcs, tookMs, signedOut: isSignedOut(shown) });
  // GraphiQL writes an answer into whichever tab is open; one that comes late must not land in another's.
  return stillOpen() ? shown : new Promise(() => {});
}

function watch(sockets, { request, remember, values, report }) {
  return {
    subscribe(observer) {
      let events = 0;
      const sink = {
        next(result) {
          const { shown, rpcs } = split(result);
          events += 1;
          values.learn(remember, shown?.data);
          report({ rpcs, events, at: new Date(), signedOut: isSignedOut(shown) });
          observer.next(shown);
        },
        error(cause) {
          observer.next({ errors: socketErrors(cause) });
          observer.complete();
        },
        complete: () => observer.complete(),
      };
      return { unsubscribe: sockets.subscribe(request, sink) };
    },
  };
}

async function post(request, headers) {
  let answer;
  try {
    answer = await fetch("/graphql", {
      method: "POST",
      credentials: "same-origin",
      headers: {
        accept: "application/graphql-response+json, application/json",
        ...headers,
        "content-type": "application/json",
        "x-shop-client": CLIENT,
      },
      body: JSON.stringify(request),
    });
  } catch {
    return { body: problem("The shop does not answer. Is it still running?") };
  }
  const text = await answer.text();
  try {
    return { body: JSON.parse(text) };
  } catch {
    return { body: problem(`The edge answered ${answer.status} ${answer.statusText} without JSON.`) };
  }
}

/** Parts the RPC report from the answer; `extensions` goes too when nothing else is in it. */
export function split(result) {
  if (typeof result?.extensions?.rpcs !== "object") {
    return { shown: result, rpcs: null };
  }
  const { rpcs, ...others } = result.extensions;
  const { extensions, ...shown } = result;
  return { shown: Object.keys(others).length > 0 ? { ...shown, extensions: others } : shown, rpcs };
}

/** A document's only operation is the chosen one: GraphiQL's name for it lags behind right after a tab was opened. */
function chosenOperation({ query, operationName }) {
  try {
    const operations = parse(query).definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
    return operations.length === 1 ? operations[0] : operations.find(({ name }) => name?.value === operationName);
  } catch {
    // The edge says what is wrong with a document that does not parse.
    return undefined;
  }
}

function isSignedOut(result) {
  const errors = Array.isArray(result?.errors) ? result.errors : [];
  return errors.some(error => error?.extensions?.code === "UNAUTHENTICATED");
}

function refusal(missing, operations) {
  const sentences = missing.map(name => {
    const source = operations.find(({ remember }) => Object.hasOwn(remember, name));
    return source
      ? `Run “${source.title}” first: it gives {{${name}}}.`
      : `Nothing gives {{${name}}}: write the value itself into the variables.`;
  });
  return problem(...sentences);
}

function problem(...messages) {
  return { errors: messages.map(message => ({ message })) };
}

function socketErrors(cause) {
  if (Array.isArray(cause)) {
    return cause;
  }
  if (typeof cause?.code === "number") {
    return [{ message: `The subscription was closed: ${cause.code} ${cause.reason || "without a reason"}.` }];
  }
  return [{ message: "The subscription's connection failed. Is the shop still running?" }];
}

function socketUrl({ protocol, host }) {
  return `${protocol === "https:" ? "wss:" : "ws:"}//${host}/graphql/ws`;
}
