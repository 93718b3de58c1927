// The tab strip. GraphiQL's own renames a tab to its operation's name as soon as it runs; here a ready
// operation keeps the title that the edge gave it, and arrow keys walk along the strip.

import { useEditorContext, useExecutionContext } from "@graphiql/react";
import { useEffect, useLayoutEffect, useRef } from "react";

export function TabStrip({ operations, persona, onActive, onRestore }) {
  const { tabs, activeTabIndex, addTab, changeTab, closeTab } = useEditorContext({ nonNull: true });
  const { stop } = useExecutionContext({ nonNull: true });
  const strip = useRef(null);
  const activeId = tabs[activeTabIndex].id;

  // Before anything can run in the tab, the page must know which one it is.
  useLayoutEffect(() => {
    onActive(activeId);
    strip.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [activeId, onActive]);

  // A running subscription speaks for whoever opened it, so another persona ends it.
  const stopNow = useRef(stop);
  useEffect(() => {
    stopNow.current = stop;
  });
  useEffect(() => stopNow.current(), [persona]);

  useReachableByTab();

  const open = index => {
    if (index !== activeTabIndex) {
      stop();
      changeTab(index);
    }
  };
  const close = index => {
    if (index === activeTabIndex) {
      stop();
    }
    closeTab(index);
  };
  return (
    <div className="strip">
      <div className="strip-tabs" role="tablist" aria-label="Operations" ref={strip} onKeyDown={walk}>
        {tabs.map((tab, index) => (
          <OneTab
            key={tab.id}
            title={operations.find(({ id }) => id === tab.id)?.title ?? ownTitle(tab)}
            selected={index === activeTabIndex}
            onOpen={() => open(index)}
            onClose={tabs.length > 1 ? () => close(index) : null}
          />
        ))}
      </div>
      <button type="button" className="strip-button" onClick={addTab} aria-label="New tab" title="New tab">
        +
      </button>
      {operations.length > 0 && (
        <button
          type="button"
          className="strip-button strip-restore"
          onClick={onRestore}
          title="Bring the ready operations back as they were"
        >
          Restore
        </button>
      )}
    </div>
  );
}

function OneTab({ title, selected, onOpen, onClose }) {
  return (
    <div className="strip-tab" role="presentation" data-selected={selected}>
      <button
        type="button"
        role="tab"
        aria-selected={selected}
        aria-controls="graphiql-session"
        tabIndex={selected ? 0 : -1}
        onClick={onOpen}
        onKeyDown={event => event.key === "Delete" && onClose?.()}
      >
        {title}
      </button>
      {onClose && (
        <button type="button" className="strip-close" tabIndex={-1} aria-label={`Close ${title}`} onClick={onClose}>
          ×
        </button>
      )}
    </div>
  );
}

function ownTitle({ title }) {
  return title === "<untitled>" ? "New tab" : title;
}

/** Left, Right, Home and End move the focus; Enter opens, for opening a tab ends what runs in the present one. */
function walk(event) {
  const tabs = [...event.currentTarget.querySelectorAll("[role=tab]")];
  const here = tabs.indexOf(document.activeElement);
  const steps = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: tabs.length - 1 };
  if (here < 0 || !Object.hasOwn(steps, event.key)) {
    return;
  }
  event.preventDefault();
  tabs[(steps[event.key] + tabs.length) % tabs.length].focus();
}

/** Gives the Tab key back to the browser: inside CodeMirror it would indent, and the keyboard could never leave. */
function useReachableByTab() {
  const { queryEditor, variableEditor, headerEditor, responseEditor } = useEditorContext({ nonNull: true });
  useEffect(() => {
    const leave = { name: "leave", Tab: false, "Shift-Tab": false };
    const editors = [queryEditor, variableEditor, headerEditor, responseEditor].filter(Boolean);
    editors.forEach(editor => editor.addKeyMap(leave));
    return () => editors.forEach(editor => editor.removeKeyMap(leave));
  }, [queryEditor, variableEditor, headerEditor, responseEditor]);
}
