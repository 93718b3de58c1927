// Beside each answer, what it cost: the RPCs behind it, how many, how long each took, and how it ended.

import { useEditorContext } from "@graphiql/react";
import { useState } from "react";

const ROWS_MAX = 200;

/** `costs` holds the last answer's cost of each tab, by the tab's id. */
export function RpcPanel({ costs }) {
  const { tabs, activeTabIndex } = useEditorContext({ nonNull: true });
  const [open, setOpen] = useState(true);
  const cost = costs[tabs[activeTabIndex].id];
  const calls = readCalls(cost?.rpcs);
  return (
    <section className="rpcs" aria-label="RPCs behind this answer">
      <button type="button" className="rpcs-summary" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span className="rpcs-arrow" aria-hidden="true" />
        <span role="status">{cost ? <Summary cost={cost} /> : "The RPCs behind the answer appear here"}</span>
      </button>
      {open && cost && (
        <div className="rpcs-body">
          {cost.used.length > 0 && <Filled used={cost.used} />}
          {calls.length > 0 && <Calls calls={calls} />}
        </div>
      )}
    </section>
  );
}

function Summary({ cost }) {
  const { rpcs, tookMs, events, at } = cost;
  const count = numberOf(rpcs?.count);
  const total = numberOf(rpcs?.totalMs);
  const facts = [];
  if (rpcs) {
    facts.push(`${milliseconds(total)} in services`);
  }
  if (tookMs !== undefined) {
    facts.push(`answered in ${milliseconds(tookMs)}`);
  }
  if (events !== undefined) {
    facts.push(`event ${events} at ${at.toLocaleTimeString()}`);
  }
  return (
    <>
      <strong>{rpcs ? `${count} ${count === 1 ? "RPC" : "RPCs"}` : "No RPCs reported"}</strong>
      {facts.map(fact => (
        <span className="rpcs-fact" key={fact}>
          {fact}
        </span>
      ))}
    </>
  );
}

function Filled({ used }) {
  return (
    <p className="rpcs-filled">
      Filled in:{" "}
      {used.map(({ name, value }) => (
        <span key={name}>
          {name} <code>{value}</code>
        </span>
      ))}
    </p>
  );
}

function Calls({ calls }) {
  const longest = Math.max(...calls.map(({ ms }) => ms), 0.001);
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Method</th>
          <th scope="col">
            <span className="hidden">Share of the longest</span>
          </th>
          <th scope="col">Time</th>
          <th scope="col">Code</th>
        </tr>
      </thead>
      <tbody>
        {calls.slice(0, ROWS_MAX).map(({ method, ms, code }, index) => (
          <tr key={index}>
            <td className="rpcs-method">{method}</td>
            <td className="rpcs-bar" aria-hidden="true">
              <span style={{ width: `${(100 * ms) / longest}%` }} />
            </td>
            <td className="rpcs-ms">{milliseconds(ms)}</td>
            <td className="rpcs-code" data-ok={code === "OK"}>
              {code}
            </td>
          </tr>
        ))}
        {calls.length > ROWS_MAX && (
          <tr>
            <td colSpan={4}>and {calls.length - ROWS_MAX} more</td>
          </tr>
        )}
      </tbody>
    </table>
  );
}

function readCalls(rpcs) {
  const calls = Array.isArray(rpcs?.calls) ? rpcs.calls : [];
  return calls.map(call => ({
    method: String(call?.method ?? "?"),
    ms: numberOf(call?.ms),
    code: String(call?.code ?? "?"),
  }));
}

function numberOf(value) {
  return Number.isFinite(value) && value >= 0 ? value : 0;
}

function milliseconds(value) {
  return `${value < 100 ? value.toFixed(1) : Math.round(value)} ms`;
}
