// Dark or light: the system's choice, unless the person chose.
import { useSyncExternalStore } from "react";

type Theme = "dark" | "light";

const PREFERENCE = "resolutionflow.theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();
let chosen = localStorage.getItem(PREFERENCE) as Theme | null;

export function useTheme(): [Theme, () => void] {
  return [useSyncExternalStore(subscribe, current), toggle];
}

export function applyTheme(): void {
  document.documentElement.style.colorScheme = chosen ?? "light dark";
}

function current(): Theme {
  return chosen ?? (system.matches ? "dark" : "light");
}

function toggle(): void {
  chosen = current() === "dark" ? "light" : "dark";
  localStorage.setItem(PREFERENCE, chosen);
  applyTheme();
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  system.addEventListener("change", listener);
  return () => {
    listeners.delete(listener);
    system.removeEventListener("change", listener);
  };
}
