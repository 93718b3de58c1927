// What needs no browser: the committed files equal the sources, and the small parts keep their word.

import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { getIntrospectionQuery } from "graphql";
import { buildInto } from "../build.mjs";
import { split } from "../src/fetcher.js";
import { readSetup, seedTabs } from "../src/operations.js";
import { createValues } from "../src/values.js";

const HERE = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const BUNDLE_BYTES_MAX = 1_600_000;

function memory(items = {}) {
  const kept = new Map(Object.entries(items));
  return {
    getItem: key => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value),
    removeItem: key => kept.delete(key),
  };
}

test("the committed dist is what the sources build, byte for byte", async t => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "playground-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await buildInto(folder);
  const committed = path.join(HERE, "dist");
  assert.deepEqual((await readdir(committed)).sort(), (await readdir(folder)).sort());
  for (const name of await readdir(folder)) {
    const same = (await readFile(path.join(committed, name))).equals(await readFile(path.join(folder, name)));
    assert.ok(same, `${name} differs: run \`cargo xtask playground\` and commit dist/`);
  }
});

test("the bundle stays small enough to live in the binary", async () => {
  const script = await readFile(path.join(HERE, "dist/playground.js"));
  assert.ok(script.length < BUNDLE_BYTES_MAX, `playground.js has ${script.length} bytes`);
});

test("the page loads only its own files, and the style sheet nothing at all", async () => {
  const html = await readFile(path.join(HERE, "dist/index.html"), "utf8");
  const css = await readFile(path.join(HERE, "dist/playground.css"), "utf8");
  const urls = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, url]) => url);
  assert.deepEqual(urls.filter(url => !url.startsWith("data:")), ["/playground/playground.css", "/playground/playground.js"]);
  assert.deepEqual(css.match(/url\((?!["']?data:)|@import/g), null);
});

test("the lock file names no registry", async () => {
  const lock = await readFile(path.join(HERE, "package-lock.json"), "utf8");
  assert.ok(!lock.includes('"resolved"'));
});

test("the edge is tested with the question about its schema that GraphiQL asks", async () => {
  const asked = await readFile(path.join(HERE, "test/introspection.graphql"), "utf8");
  assert.equal(asked, getIntrospectionQuery({ inputValueDeprecation: false, schemaDescription: false }));
});

test("split takes the RPC report out and leaves other extensions", () => {
  const rpcs = { count: 1, totalMs: 2, calls: [] };
  assert.deepEqual(split({ data: { a: 1 }, extensions: { rpcs } }), { shown: { data: { a: 1 } }, rpcs });
  assert.deepEqual(split({ data: null, extensions: { rpcs, cost: 7 } }).shown, { data: null, extensions: { cost: 7 } });
  assert.deepEqual(split({ data: null }), { shown: { data: null }, rpcs: null });
  assert.deepEqual(split({ extensions: { rpcs: null } }).rpcs, null);
  assert.deepEqual(split(null), { shown: null, rpcs: null });
});

test("values are learnt by path, filled in at any depth, and named when unknown", () => {
  const values = createValues(memory());
  values.learn({ cartId: "create.cart.id", first: "list.0.id" }, { create: { cart: { id: "c1" } }, list: [{ id: 7 }] });
  const { variables, used, missing } = values.fill({ a: ["{{cartId}}", { b: "x-{{ first }}" }], c: "{{none}}", d: 3 });
  assert.deepEqual(variables, { a: ["c1", { b: "x-7" }], c: "{{none}}", d: 3 });
  assert.deepEqual(used, [{ name: "cartId", value: "c1" }, { name: "first", value: "7" }]);
  assert.deepEqual(missing, ["none"]);
});

test("an answer without the value keeps the older one, and names of Object's own are not values", () => {
  const values = createValues(memory({ values: '{"cartId":"old","odd":{"a":1}}' }));
  values.learn({ cartId: "create.cart.id" }, { create: { cart: null } });
  values.learn({ cartId: "create.cart.id" }, undefined);
  assert.equal(values.fill({ id: "{{cartId}}" }).variables.id, "old");
  assert.deepEqual(values.fill({ id: "{{constructor}} {{odd}}" }).missing, ["constructor", "odd"]);
  assert.equal(values.fill(undefined).variables, undefined);
});

test("two uses of {{newKey}} in one run are the same key, two runs have two", () => {
  const values = createValues(memory());
  const first = values.fill({ a: "{{newKey}}", b: "{{newKey}}" }).variables;
  assert.equal(first.a, first.b);
  assert.notEqual(first.a, values.fill({ a: "{{newKey}}" }).variables.a);
});

test("a setup with missing or odd fields is read as far as it goes", () => {
  for (const odd of [undefined, null, [], "text", { tabs: 3, personas: {} }]) {
    assert.deepEqual(readSetup(odd), { persona: null, personas: [], operations: [] });
  }
  const setup = readSetup({
    persona: "guest",
    personas: ["guest", { persona: "staff", name: "Sam" }, { name: "nobody" }, 7],
    tabs: [{ query: "{ a }" }, { title: "No query" }, { title: "T", query: "{ b }", variables: '{"x":1}' }],
  });
  assert.deepEqual(setup.personas.map(({ title, name }) => `${title}/${name}`), ["Guest/", "Staff/Sam"]);
  assert.deepEqual(setup.operations.map(({ title, variables }) => [title, variables]), [["Operation 1", ""], ["T", '{"x":1}']]);
});

test("stored tabs that cannot be read are replaced by the ready ones", () => {
  const { operations } = readSetup({ tabs: [{ title: "A", query: "{ a }" }] });
  for (const stored of ["{", "[]", '{"tabs":[],"activeTabIndex":3}', '{"tabs":[null],"activeTabIndex":0}']) {
    const storage = memory({ "graphiql:tabState": stored });
    seedTabs(storage, operations);
    assert.deepEqual(JSON.parse(storage.getItem("graphiql:tabState")).tabs.map(({ title }) => title), ["A"]);
    assert.equal(storage.getItem("graphiql:query"), "{ a }\n");
  }
});
