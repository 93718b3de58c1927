// What /dev/playground.json says, and how its operations become GraphiQL's tabs without losing the tabs of the user.

const PERSONA_TITLES = { guest: "Guest", shopper: "Shopper", staff: "Staff" };
const READY = "ready:";

/** Reads the edge's answer leniently: a field that is missing or odd is left out, the page still comes up. */
export function readSetup(json) {
  return {
    persona: typeof json?.persona === "string" ? json.persona : null,
    personas: listOf(json?.personas).map(readPersona).filter(Boolean),
    operations: listOf(json?.tabs).map(readOperation).filter(Boolean),
  };
}

/** A persona is its name alone, or an object that also says who that is. */
function readPersona(value) {
  const persona = typeof value === "string" ? value : value?.persona;
  if (typeof persona !== "string" || persona === "") {
    return null;
  }
  const name = typeof value?.name === "string" ? value.name : "";
  return { persona, name, title: PERSONA_TITLES[persona] ?? persona };
}

function readOperation(value, index) {
  if (typeof value?.query !== "string") {
    return null;
  }
  const title = typeof value.title === "string" && value.title !== "" ? value.title : `Operation ${index + 1}`;
  return {
    id: `${READY}${index}`,
    title,
    query: value.query.trimEnd() + "\n",
    variables: variablesText(value.variables),
    persona: typeof value.persona === "string" ? value.persona : null,
    hint: typeof value.hint === "string" ? value.hint : "",
    remember: isObject(value.remember) ? value.remember : {},
  };
}

function variablesText(variables) {
  if (typeof variables === "string") {
    return variables;
  }
  return isObject(variables) && Object.keys(variables).length > 0 ? JSON.stringify(variables, null, 2) : "";
}

/**
 * Puts the tabs into the storage that GraphiQL starts from. Ready tabs come anew when the edge's operations changed
 * (other ids after another seed); tabs that the user opened always stay.
 */
export function seedTabs(storage, operations) {
  if (operations.length === 0) {
    return;
  }
  const offered = JSON.stringify(operations);
  let state = storedTabs(storage);
  if (state === null || storage.getItem("offered") !== offered) {
    state = { tabs: [...operations.map(readyTab), ...ownTabs(state)], activeTabIndex: 0 };
  }
  storage.setItem("offered", offered);
  storeTabs(storage, state);
}

/** Brings the ready tabs back as the edge wrote them; tabs that the user opened stay behind them. */
export function restoreTabs(storage, operations) {
  const tabs = [...operations.map(readyTab), ...ownTabs(storedTabs(storage))];
  storeTabs(storage, { tabs, activeTabIndex: 0 });
}

function storeTabs(storage, state) {
  // GraphiQL picks as active the tab whose contents equal these three, and opens one more tab if none does.
  const active = state.tabs[state.activeTabIndex];
  storage.setItem("graphiql:tabState", JSON.stringify(state));
  storage.setItem("graphiql:query", active.query ?? "");
  storage.setItem("graphiql:variables", active.variables ?? "");
  storage.removeItem("graphiql:headers");
}

function storedTabs(storage) {
  try {
    const state = JSON.parse(storage.getItem("graphiql:tabState") ?? "null");
    const usable = Array.isArray(state?.tabs) && isObject(state.tabs[state.activeTabIndex]);
    return usable ? state : null;
  } catch {
    return null;
  }
}

function ownTabs(state) {
  return (state?.tabs ?? []).filter(tab => typeof tab?.id === "string" && !tab.id.startsWith(READY));
}

function readyTab({ id, title, query, variables }) {
  return { id, title, query, variables, headers: null, operationName: null, response: null };
}

function listOf(value) {
  return Array.isArray(value) ? value : [];
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
