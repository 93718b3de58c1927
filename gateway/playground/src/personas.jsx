// The persona switch: one click signs in as a guest, a shopper or a member of staff. Exists in development only.

import { useState } from "react";

/** Asks the edge to sign this browser in; the session arrives as cookies that the page never sees. */
export async function signIn(persona) {
  const answer = await fetch("/dev/persona", {
    method: "POST",
    credentials: "same-origin",
    headers: { "content-type": "application/json", "x-shop-client": "playground" },
    body: JSON.stringify({ persona }),
  });
  if (!answer.ok) {
    throw new Error(`the edge answered ${answer.status}`);
  }
  return answer.json();
}

/** Pressing the persona in use signs in anew: that is the way back when a session has run out. */
export function Personas({ personas, current, onSwitch }) {
  const [pending, setPending] = useState(null);
  const press = async persona => {
    setPending(persona);
    await onSwitch(persona);
    setPending(null);
  };
  return (
    <div className="personas" role="group" aria-label="Sign in as">
      <span className="personas-label" aria-hidden="true">
        Sign in as
      </span>
      {personas.map(({ persona, title, name }) => (
        <button
          key={persona}
          type="button"
          className="persona"
          aria-pressed={persona === current}
          aria-busy={persona === pending}
          disabled={pending !== null}
          title={name ? `Sign in as ${name}` : `Sign in as ${title.toLowerCase()}`}
          onClick={() => press(persona)}
        >
          {title}
        </button>
      ))}
    </div>
  );
}
