// Debian's Chromium driven by playwright-core, which brings no browser of its own.

import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const PLACES = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

export const executablePath = PLACES.find(place => place && existsSync(place));

export function launch() {
  // Without these, Chromium calls home at every start; the page itself must need no network but the edge.
  const quiet = ["--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update"];
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--no-first-run", "--disable-sync", ...quiet] });
}
