// A stand-in for the edge: the playground's files, a small schema, the two /dev endpoints and subscriptions.
// `npm run mock` serves it for work on the page; the tests start it on a free port.

import { GraphQLError, buildSchema, graphql, parse, subscribe, validate } from "graphql";
import { makeServer } from "graphql-ws";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { WebSocketServer } from "ws";
import { OPERATIONS } from "./operations.mjs";

const DIST = new URL("../dist/", import.meta.url);
const TYPES = { html: "text/html; charset=utf-8", js: "text/javascript", css: "text/css", txt: "text/plain" };
const NAMES = { guest: "a guest", shopper: "Ada Lovell", staff: "Sam Porter" };
// The strictest policy that the page works under; the edge sends the same.
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const SCHEMA = buildSchema(`
  "An amount in one currency, as a decimal string."
  type Money { amount: String!, currencyCode: String! }
  "Something the shop sells."
  type Product { id: ID!, handle: String!, title: String!, price: Money!, reviews(first: Int = 3): [Review!] }
  "What a customer thinks of a product."
  type Review { id: ID!, rating: Int!, title: String!, status: String! }
  "A list of products, page by page."
  type ProductConnection { nodes: [Product!]!, totalCount: Int! }
  type Line { quantity: Int!, product: Product! }
  type Cart { id: ID!, lines: [Line!]! }
  type Order { id: ID!, number: String!, status: String! }
  type Checkout { id: ID!, status: String!, order: Order }
  "Why a mutation did not do what was asked."
  type UserError { field: [String!], code: String!, message: String! }
  type CartPayload { cart: Cart, userErrors: [UserError!]! }
  type CheckoutPayload { checkout: Checkout, userErrors: [UserError!]! }
  type ReviewPayload { review: Review, userErrors: [UserError!]! }
  type Query {
    "Products, filtered and sorted."
    products(first: Int = 20, query: String): ProductConnection!
    "One product by its handle, null if there is none."
    product(handle: String!): Product
  }
  type Mutation {
    cartLinesAdd(productHandle: String!, quantity: Int!, idempotencyKey: ID!): CartPayload!
    checkoutCreate(cartId: ID!, card: String!, idempotencyKey: ID!): CheckoutPayload!
    reviewModerate(id: ID!, status: String!): ReviewPayload!
  }
  type Subscription { "The order now, then after every change." orderUpdated(id: ID!): Order! }
`);

const PRODUCTS = ["Harbour mug", "Linen apron", "Reading lamp", "Walnut board", "Wool throw"].map((title, index) => ({
  id: `Product_${index + 1}`,
  handle: title.toLowerCase().replace(" ", "-"),
  title,
  price: { amount: `${12 + 7 * index}.50`, currencyCode: "GBP" },
  reviews: [{ id: `Review_${index + 1}`, rating: 5 - (index % 3), title: "Better than expected", status: "APPROVED" }],
}));

/** Starts on `port` (0: a free one). `seen` collects what the page asked for, for the tests to look at. */
export async function startMock({ port = 0, persona = "shopper", tabs = OPERATIONS } = {}) {
  const state = { persona, tabs, seen: { personas: [], requests: [], headers: [] }, sockets: 0 };
  const server = createServer((request, response) => {
    answer(request, response, state).catch(error => response.writeHead(500).end(String(error)));
  });
  serveSubscriptions(server, state);
  await new Promise(resolve => server.listen(port, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  const stop = () => {
    server.closeAllConnections();
    return new Promise(resolve => server.close(resolve));
  };
  return { url, state, stop };
}

async function answer(request, response, state) {
  const { pathname } = new URL(request.url, "http://localhost");
  switch (`${request.method} ${pathname}`) {
    case "GET /dev/playground.json": {
      const personas = Object.entries(NAMES).map(([persona, name]) => ({ persona, name }));
      return json(response, { persona: state.persona, personas, tabs: state.tabs });
    }
    case "POST /dev/persona": {
      const { persona } = JSON.parse(await body(request));
      state.seen.personas.push(persona);
      if (!Object.hasOwn(NAMES, persona)) {
        return json(response, { error: "no such persona" }, 400);
      }
      state.persona = persona;
      response.setHeader("set-cookie", `session=${persona}; HttpOnly; SameSite=Lax; Path=/`);
      return json(response, { persona, name: NAMES[persona] });
    }
    case "POST /graphql":
      return json(response, await execute(JSON.parse(await body(request)), request, state));
    default:
      return file(pathname, response);
  }
}

async function execute({ query, variables, operationName }, request, state) {
  const calls = [];
  const rootValue = resolvers(state, (method, ms, code = "OK") => calls.push({ method, ms, code }));
  const result = await graphql({ schema: SCHEMA, source: query, rootValue, variableValues: variables, operationName });
  if (operationName !== "IntrospectionQuery") {
    state.seen.requests.push({ query, variables, operationName });
    state.seen.headers.push(request.headers);
  }
  const totalMs = calls.reduce((sum, { ms }) => sum + ms, 0);
  return { ...result, extensions: { rpcs: { count: calls.length, totalMs, calls } } };
}

function resolvers(state, rpc) {
  return {
    products({ first, query }) {
      rpc("catalogue.ListProducts", 1.9);
      rpc("pricing.BatchGetPrices", 0.8);
      rpc("reviews.BatchGetSummaries", 1.5);
      const nodes = PRODUCTS.filter(({ title }) => title.toLowerCase().includes((query ?? "").toLowerCase()));
      return { nodes: nodes.slice(0, first), totalCount: nodes.length };
    },
    product({ handle }) {
      rpc("catalogue.GetProduct", 0.9);
      rpc("reviews.ListReviews", 2.4, handle === "wool-throw" ? "UNAVAILABLE" : "OK");
      return PRODUCTS.find(product => product.handle === handle);
    },
    cartLinesAdd({ productHandle, quantity }) {
      rpc("cart.AddLines", 1.1);
      const product = PRODUCTS.find(({ handle }) => handle === productHandle);
      return { cart: { id: "Cart_1", lines: [{ quantity, product }] }, userErrors: [] };
    },
    checkoutCreate({ cartId }) {
      ["pricing.Quote", "inventory.Reserve", "payments.Authorise", "orders.PlaceOrder"].forEach(name => rpc(name, 2));
      const order = { id: `Order_of_${cartId}`, number: "1001", status: "PLACED" };
      return { checkout: { id: "Checkout_1", status: "COMPLETED", order }, userErrors: [] };
    },
    reviewModerate({ id, status }) {
      if (state.persona !== "staff") {
        throw new GraphQLError("Sign in first.", { extensions: { code: "UNAUTHENTICATED" } });
      }
      rpc("reviews.ModerateReview", 1.3);
      return { review: { id, rating: 4, title: "Better than expected", status }, userErrors: [] };
    },
  };
}

function serveSubscriptions(server, state) {
  const rpcs = { count: 1, totalMs: 0.7, calls: [{ method: "orders.WatchOrder", ms: 0.7, code: "OK" }] };
  const protocol = makeServer({
    schema: SCHEMA,
    validate,
    parse,
    subscribe,
    roots: { subscription: { orderUpdated: ({ id }) => orderLife(id, state) } },
    onNext: (_context, _id, _payload, _args, result) => ({ ...result, extensions: { rpcs } }),
  });
  const sockets = new WebSocketServer({ server, path: "/graphql/ws" });
  sockets.on("connection", socket => {
    state.sockets += 1;
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        send: data => new Promise((resolve, reject) => socket.send(data, error => (error ? reject(error) : resolve()))),
        close: (code, reason) => socket.close(code, reason),
        onMessage: handle => socket.on("message", data => handle(String(data))),
      },
      { socket },
    );
    socket.once("close", (code, reason) => {
      state.sockets -= 1;
      void closed(code, String(reason));
    });
  });
}

async function* orderLife(id, state) {
  for (const status of state.orderLife ?? ["PLACED", "PAID", "SHIPPED"]) {
    yield { orderUpdated: { id, number: "1001", status } };
    await new Promise(resolve => setTimeout(resolve, 60));
  }
  await new Promise(resolve => setTimeout(resolve, 60_000).unref());
}

async function file(pathname, response) {
  const name = pathname === "/" ? "index.html" : pathname.replace(/^\/playground\//, "");
  const type = TYPES[name.split(".").pop()];
  if (!type || name.includes("/")) {
    return response.writeHead(404).end();
  }
  const headers = { "content-type": type, "content-security-policy": POLICY, "x-content-type-options": "nosniff" };
  return response.writeHead(200, headers).end(await readFile(new URL(name, DIST)));
}

async function body(request) {
  const chunks = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function json(response, value, status = 200) {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await startMock({ port: Number(process.env.PORT ?? 8081) });
  console.log(`The playground with a stand-in for the edge: ${url}`);
}
