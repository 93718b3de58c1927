// Values that one operation learns and a later one needs: the checkout that was just made is the checkout to watch.
// An operation names them (`remember: {"checkoutId": "checkoutCreate.checkout.id"}`), variables ask for them by "{{checkoutId}}".

/** Always known and different at each run, so that running a tab twice is two effects and not one replayed. */
export const NEW_KEY = "newKey";

const PLACEHOLDER = /\{\{\s*([A-Za-z][A-Za-z0-9]*)\s*\}\}/g;

export function createValues(storage) {
  const known = read(storage);
  return {
    /** Replaces the placeholders in `variables`; says which were used and which nobody has learnt yet. */
    fill(variables) {
      const fresh = { ...known, [NEW_KEY]: uuid() };
      const used = new Map();
      const missing = new Set();
      const replace = text =>
        text.replace(PLACEHOLDER, (whole, name) => {
          if (!Object.hasOwn(fresh, name)) {
            missing.add(name);
            return whole;
          }
          used.set(name, fresh[name]);
          return fresh[name];
        });
      const filled = mapStrings(variables, replace);
      return { variables: filled, used: [...used].map(([name, value]) => ({ name, value })), missing: [...missing] };
    },

    /** Keeps what `remember` names and `data` holds; an answer without it leaves the older value. */
    learn(remember, data) {
      for (const [name, path] of Object.entries(remember)) {
        const value = at(data, path);
        if (typeof value === "string" || typeof value === "number") {
          known[name] = String(value);
        }
      }
      storage.setItem("values", JSON.stringify(known));
    },
  };
}

function mapStrings(value, change) {
  if (typeof value === "string") {
    return change(value);
  }
  if (Array.isArray(value)) {
    return value.map(item => mapStrings(item, change));
  }
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapStrings(item, change)]));
  }
  return value;
}

function at(data, path) {
  return String(path)
    .split(".")
    .reduce((value, step) => (typeof value === "object" && value !== null ? value[step] : undefined), data);
}

function read(storage) {
  try {
    const stored = JSON.parse(storage.getItem("values") ?? "{}");
    return Object.fromEntries(Object.entries(stored ?? {}).filter(([, value]) => typeof value === "string"));
  } catch {
    return {};
  }
}

/** A random UUID; `crypto.randomUUID` would be missing on plain HTTP from another machine. */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, byte => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
