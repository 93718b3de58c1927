// The page in a real browser against the mock: what a newcomer sees and does.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { executablePath, launch } from "./browser.mjs";
import { startMock } from "./mock.mjs";
import { OPERATIONS } from "./operations.mjs";

const skip = executablePath ? false : "not run: no Chromium (apt-get install chromium, or name it in CHROMIUM)";

describe("the playground in a browser", { skip, timeout: 600_000 }, () => {
  let browser;
  let opened = [];

  before(async () => {
    browser = await launch();
  });
  after(() => browser.close());
  afterEach(async () => {
    for (const { context, mock, complaints } of opened.splice(0)) {
      await context.close();
      await mock.stop();
      assert.deepEqual(complaints, [], "the page wrote no error to the console and asked no other host");
    }
  });

  async function open(options) {
    const mock = await startMock(options);
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    const complaints = [];
    page.on("console", message => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", error => complaints.push(String(error)));
    page.on("request", request => {
      const { protocol, origin } = new URL(request.url());
      if (protocol !== "data:" && origin !== mock.url) {
        complaints.push(`asked ${request.url()}`);
      }
    });
    await page.goto(mock.url);
    await page.getByRole("tab").first().waitFor();
    opened.push({ context, mock, complaints });
    return { page, mock, complaints };
  }

  const tab = (page, title) => page.getByRole("tab", { name: title, exact: true });
  const tabTitles = page => page.getByRole("tab").allTextContents();
  const persona = (page, title) => page.getByRole("button", { name: title, exact: true });
  const execute = page => page.getByRole("button", { name: /^Execute query/ }).click();
  const panel = page => page.getByRole("region", { name: "RPCs behind this answer" });
  const response = page => page.evaluate(() => document.querySelector(".result-window .CodeMirror").CodeMirror.getValue());
  const shows = (page, text) =>
    page.waitForFunction(
      wanted => document.querySelector(".result-window .CodeMirror")?.CodeMirror.getValue().includes(wanted),
      text,
    );

  async function run(page, title) {
    await tab(page, title).click();
    await execute(page);
  }

  test("every ready operation is a tab under the title that the edge gave it", async () => {
    const { page } = await open();
    assert.deepEqual(await tabTitles(page), OPERATIONS.map(({ title }) => title));
    assert.match(await page.locator(".graphiql-query-editor").innerText(), /BrowseProducts/);
    assert.match(await page.locator(".graphiql-editor-tool").innerText(), /"first": 20/);
    await page.getByText("Start here.").waitFor();
  });

  test("a query runs, its RPCs are listed and counted, and the shown JSON holds none of it", async () => {
    const { page, mock } = await open();
    await run(page, "Browse products");
    await shows(page, "Harbour mug");
    await panel(page).getByText("3 RPCs", { exact: true }).waitFor();
    await panel(page).getByText("4.2 ms in services").waitFor();
    assert.deepEqual(await panel(page).locator(".rpcs-method").allTextContents(), [
      "catalogue.ListProducts",
      "pricing.BatchGetPrices",
      "reviews.BatchGetSummaries",
    ]);
    assert.deepEqual(Object.keys(JSON.parse(await response(page))), ["data"]);
    assert.equal(mock.state.seen.headers[0]["x-shop-client"], "playground");
    assert.equal(mock.state.seen.headers[0]["content-type"], "application/json");
    assert.equal((await tabTitles(page))[0], "Browse products", "a tab that ran keeps its title");
  });

  test("each tab keeps the panel of its own last answer, and a failed RPC shows its code", async () => {
    const { page } = await open();
    await run(page, "Browse products");
    await panel(page).getByText("3 RPCs", { exact: true }).waitFor();
    await tab(page, "Product page").click();
    await panel(page).getByText("The RPCs behind the answer appear here").waitFor();
    const variables = page.locator(".graphiql-editor-tool .CodeMirror").first();
    await variables.evaluate(element => element.CodeMirror.setValue('{"handle": "wool-throw"}'));
    await execute(page);
    await panel(page).getByText("UNAVAILABLE").waitFor();
    await tab(page, "Browse products").click();
    await panel(page).getByText("3 RPCs", { exact: true }).waitFor();
  });

  test("pressing a persona posts it once and says who one is now", async () => {
    const { page, mock } = await open();
    assert.equal(await persona(page, "Shopper").getAttribute("aria-pressed"), "true");
    await persona(page, "Staff").click();
    await page.getByText("You are Sam Porter").waitFor();
    assert.equal(await persona(page, "Staff").getAttribute("aria-pressed"), "true");
    assert.equal(await persona(page, "Shopper").getAttribute("aria-pressed"), "false");
    assert.deepEqual(mock.state.seen.personas, ["staff"]);
    const cookies = await page.context().cookies();
    assert.equal(cookies.find(({ name }) => name === "session")?.value, "staff");
  });

  test("a newcomer who never chose starts signed in as the shopper, one who chose guest stays a guest", async () => {
    const newcomer = await open({ persona: null });
    await newcomer.page.getByText("You are Ada Lovell").waitFor();
    assert.deepEqual(newcomer.mock.state.seen.personas, ["shopper"]);
    const guest = await open({ persona: "guest" });
    await guest.page.getByText("You are a guest").waitFor();
    assert.deepEqual(guest.mock.state.seen.personas, []);
  });

  test("a sign-in that the edge refuses is said, and the persona stays", async () => {
    const { page, complaints } = await open();
    await page.route("**/dev/persona", route => route.fulfill({ status: 503, body: "" }));
    await persona(page, "Staff").click();
    await page.getByRole("alert").getByText("Signing in as staff failed: the edge answered 503.").waitFor();
    assert.equal(await persona(page, "Shopper").getAttribute("aria-pressed"), "true");
    complaints.splice(0); // Chromium itself logs the 503.
  });

  test("a staff operation offers the sign-in that it needs, then runs", async () => {
    const { page } = await open();
    await tab(page, "Staff: moderate a review").click();
    await page.getByRole("button", { name: "Sign in as staff" }).last().click();
    await page.getByText("You are Sam Porter").waitFor();
    await execute(page);
    await shows(page, '"status": "APPROVED"');
  });

  test("an answer that asks for a sign-in tells where that is", async () => {
    const { page } = await open();
    await run(page, "Staff: moderate a review");
    await page.getByRole("alert").getByText("The shop asks who you are.", { exact: false }).waitFor();
  });

  test("the tabs lead through a purchase: each uses what the one before learnt, and the order is watched", async () => {
    const { page, mock } = await open();
    await run(page, "Checkout");
    await shows(page, "Run “Add to cart” first: it gives {{cartId}}.");
    assert.equal(mock.state.seen.requests.length, 0, "nothing is sent with a value missing");

    await run(page, "Add to cart");
    await shows(page, "Cart_1");
    await execute(page);
    await page.getByText("Filled in: newKey").waitFor();
    await run(page, "Checkout");
    await shows(page, "Order_of_Cart_1");
    await panel(page).getByText("4 RPCs", { exact: true }).waitFor();
    const keys = mock.state.seen.requests.map(({ variables }) => variables.key);
    assert.equal(new Set(keys).size, keys.length, "each run has a key of its own");
    assert.match(keys[0], /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);

    await run(page, "Watch the order");
    await shows(page, '"status": "SHIPPED"');
    await panel(page).getByText("event 3 at", { exact: false }).waitFor();
    await panel(page).getByText("orders.WatchOrder").waitFor();
    assert.deepEqual(JSON.parse(await response(page)).extensions, undefined);
  });

  test("another persona ends a running subscription, for it speaks for the one who opened it", async () => {
    const { page, mock } = await open();
    await page.evaluate(() => sessionStorage.setItem("shop-playground:values", '{"orderId":"Order_9"}'));
    await page.reload();
    await run(page, "Watch the order");
    await shows(page, "SHIPPED");
    assert.equal(mock.state.sockets, 1);
    await persona(page, "Guest").click();
    await page.getByText("You are a guest").waitFor();
    await page.getByRole("button", { name: /^Execute query/ }).waitFor();
    for (let tries = 0; mock.state.sockets > 0 && tries < 100; tries += 1) {
      await page.waitForTimeout(50);
    }
    assert.equal(mock.state.sockets, 0);
  });

  test("what was edited survives a reload, restoring brings the operation back and leaves own tabs", async () => {
    const { page } = await open();
    await page.getByRole("button", { name: "New tab" }).click();
    await tab(page, "Search").click();
    const variables = page.locator(".graphiql-editor-tool .CodeMirror").first();
    await variables.evaluate(element => element.CodeMirror.setValue('{"query": "lighthouse"}'));
    // GraphiQL stores half a second after the last change.
    await page.waitForFunction(() =>
      Object.entries(localStorage).some(([key, value]) => key.endsWith("tabState") && value.includes("lighthouse"))
    );
    await page.reload();
    await tab(page, "Search").and(page.locator("[aria-selected=true]")).waitFor();
    assert.match(await page.locator(".graphiql-editor-tool").innerText(), /lighthouse/);

    await page.getByRole("button", { name: "Restore" }).click();
    await tab(page, "Browse products").and(page.locator("[aria-selected=true]")).waitFor();
    await tab(page, "Search").click();
    assert.match(await page.locator(".graphiql-editor-tool").innerText(), /lamp/);
    assert.equal((await tabTitles(page)).length, OPERATIONS.length + 1);
  });

  test("operations that the edge changed replace the stored ones at the next visit", async () => {
    const { page, mock } = await open();
    mock.state.tabs = [{ title: "Only this", query: "{ products { totalCount } }" }];
    await page.reload();
    await tab(page, "Only this").waitFor();
    assert.deepEqual(await tabTitles(page), ["Only this"]);
  });

  test("the keyboard alone opens a tab, runs it and leaves the editor", async () => {
    const { page } = await open();
    await tab(page, "Browse products").focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    await tab(page, "Search").and(page.locator("[aria-selected=true]")).waitFor();
    await page.locator(".graphiql-query-editor .CodeMirror textarea").focus();
    await page.keyboard.press("Control+Enter");
    await shows(page, "Reading lamp");
    await page.keyboard.press("Tab");
    const inEditor = await page.evaluate(() => document.activeElement.closest(".graphiql-query-editor .CodeMirror") !== null);
    assert.equal(inEditor, false);
    const query = page.locator(".graphiql-query-editor .CodeMirror");
    assert.ok(!(await query.evaluate(element => element.CodeMirror.getValue())).includes("\t"));
  });

  test("an edge that is gone, or answers something else than JSON, is said in the answer's place", async () => {
    const { page, complaints } = await open();
    await page.route("**/graphql", route => route.fulfill({ status: 502, body: "<html>" }));
    await execute(page);
    await shows(page, "The edge answered 502");
    await page.unroute("**/graphql");
    await page.route("**/graphql", route => route.abort());
    await execute(page);
    await shows(page, "The shop does not answer. Is it still running?");
    complaints.splice(0); // Chromium itself logs both failures.
  });

  test("without its operations the page still comes up and says so", async () => {
    const { page, complaints } = await open();
    await page.route("**/dev/playground.json", route => route.fulfill({ status: 500, body: "" }));
    await page.reload();
    await page.getByRole("alert").getByText("The ready operations could not be fetched", { exact: false }).waitFor();
    await page.getByRole("button", { name: /^Execute query/ }).waitFor();
    complaints.splice(0); // Chromium itself logs the 500.
  });

  test("an answer that arrives after another tab was opened is not shown there", async () => {
    const { page } = await open();
    let release;
    const held = new Promise(resolve => (release = resolve));
    await page.route("**/graphql", async route => {
      await held;
      await route.continue();
    });
    await execute(page);
    await tab(page, "Search").click();
    const answered = page.waitForResponse("**/graphql");
    release();
    await answered;
    await page.waitForTimeout(200);
    assert.equal(await response(page), "");
    await tab(page, "Browse products").click();
    await panel(page).getByText("3 RPCs", { exact: true }).waitFor();
  });
});
