// The browser's storage under a prefix of our own: other tools on the same host and port keep their GraphiQL tabs apart.

const PREFIX = "shop-playground:";

/** `name` is that of the browser's own. Falls back to memory where the browser refuses storage (private windows, blocked site data). */
export function createStorage(name) {
  const store = usable(name) ? window[name] : memory();
  let frozen = false;
  return {
    getItem: key => store.getItem(PREFIX + key),
    setItem: (key, value) => frozen || store.setItem(PREFIX + key, value),
    removeItem: key => frozen || store.removeItem(PREFIX + key),
    clear: () => keys(store).forEach(key => store.removeItem(key)),
    get length() {
      return keys(store).length;
    },
    /** Refuses later writes: GraphiQL writes late, and what was just restored must survive until the reload. */
    freeze: () => (frozen = true),
  };
}

function keys(store) {
  const names = Array.from({ length: store.length }, (_, index) => store.key(index));
  return names.filter(name => name?.startsWith(PREFIX));
}

function usable(name) {
  try {
    window[name].setItem(`${PREFIX}probe`, "1");
    window[name].removeItem(`${PREFIX}probe`);
    return true;
  } catch {
    return false;
  }
}

function memory() {
  const items = new Map();
  return {
    getItem: key => items.get(key) ?? null,
    setItem: (key, value) => items.set(key, String(value)),
    removeItem: key => items.delete(key),
    key: index => [...items.keys()][index] ?? null,
    get length() {
      return items.size;
    },
  };
}
