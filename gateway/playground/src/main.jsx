// Starts the page: asks the edge what it offers, then draws. The bundle holds no operation and no id of its own.

import { createRoot } from "react-dom/client";
import "graphiql/style.css";
import "./graphiql.css";
import "./style.css";
import "./rpcs.css";
import { readSetup } from "./operations.js";
import { Playground } from "./playground.jsx";

const SETUP_URL = "/dev/playground.json";

async function start() {
  const root = createRoot(document.getElementById("playground"));
  try {
    const answer = await fetch(SETUP_URL, { credentials: "same-origin" });
    if (!answer.ok) {
      throw new Error(`the edge answered ${answer.status}`);
    }
    root.render(<Playground setup={readSetup(await answer.json())} />);
  } catch (error) {
    const failure = `The ready operations could not be fetched (${error.message}). Own queries still run; reload to try again.`;
    root.render(<Playground setup={readSetup({})} failure={failure} />);
  }
}

void start();
