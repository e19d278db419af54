// Keys that work wherever nothing is being typed. A verdict is final, so it takes two: v, then its letter.
import { useEffect, useRef, useSyncExternalStore } from "react";

const PREFERENCE = "resolutionflow.shortcuts";
const CHORD_MS = 3_000;

type Actions = Record<string, (() => void) | undefined>;
type Source = () => Actions;

const sources = new Set<Source>();
const listeners = new Set<() => void>();
let enabled = localStorage.getItem(PREFERENCE) !== "off";
let chord: ReturnType<typeof setTimeout> | undefined;

/** Keys as "m", "?" or "v w"; the newest of several components that want the same key gets it. */
export function useShortcuts(actions: Actions): void {
  const latest = useRef(actions);
  useEffect(() => {
    latest.current = actions;
  });
  useEffect(() => {
    const source = () => latest.current;
    sources.add(source);
    return () => void sources.delete(source);
  }, []);
}

/** WCAG 2.1.4: whoever dictates, or slips, can turn them off. */
export function useShortcutsEnabled(): [boolean, (on: boolean) => void] {
  const on = useSyncExternalStore(subscribe, () => enabled);
  return [on, setEnabled];
}

function setEnabled(on: boolean): void {
  enabled = on;
  localStorage.setItem(PREFERENCE, on ? "on" : "off");
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function actionFor(key: string): (() => void) | undefined {
  return [...sources]
    .reverse()
    .map((source) => source()[key])
    .find(Boolean);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable], [role=menu]") !== null;
}

/** While it lasts, the buttons show their letters. */
function beginChord(): void {
  document.documentElement.dataset.chord = "v";
  chord = setTimeout(endChord, CHORD_MS);
}

function endChord(): void {
  clearTimeout(chord);
  chord = undefined;
  delete document.documentElement.dataset.chord;
}

document.addEventListener("keydown", (event) => {
  if (!enabled || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  const begun = chord !== undefined;
  endChord();
  if (event.key === "v" && !begun) return beginChord();
  const action = actionFor(begun ? `v ${event.key}` : event.key);
  if (action) {
    event.preventDefault();
    action();
  }
});
