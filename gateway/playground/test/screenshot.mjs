// Takes the picture of the playground: `npm run screenshot -- FILE.png [URL] [TAB TITLE] [light|dark]`.
// Without a URL the mock is shown; with one, any running shop.

import { launch } from "./browser.mjs";
import { startMock } from "./mock.mjs";

const [file = "playground.png", url, title, colorScheme = "light"] = process.argv.slice(2);
const mock = url && url !== "mock" ? null : await startMock();
const browser = await launch();
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme });
  await page.goto(mock?.url ?? url);
  const tab = title ? page.getByRole("tab", { name: title, exact: true }) : page.getByRole("tab").first();
  await tab.click();
  await page.getByRole("button", { name: /^Execute query/ }).click();
  await page.locator(".result-window .CodeMirror-line").nth(3).waitFor();
  await page.waitForTimeout(400);
  await page.screenshot({ path: file });
} finally {
  await browser.close();
  await mock?.stop();
}
