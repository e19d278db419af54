// Who is signed in. The token lives in this tab alone, so that a reload does not ask again.
import { useSyncExternalStore } from "react";

type Role = "viewer" | "engineer" | "lead" | "admin" | "service";

export interface Identity {
  token: string;
  id: string;
  name: string;
  role: Role;
}

interface State {
  identity: Identity | null;
  /** The token is good no longer. Who it named stays, with what they are writing, until they sign in again. */
  expired: boolean;
}

const KEY = "resolutionflow.token";
const listeners = new Set<() => void>();
let state: State = { identity: remembered(), expired: false };

export function useIdentity(): State {
  return useSyncExternalStore(subscribe, () => state);
}

export function currentIdentity(): Identity | null {
  return state.identity;
}

/** Raises an Error in words for people where this is no token, or is over. */
export function signIn(token: string): void {
  const identity = read(token.trim());
  sessionStorage.setItem(KEY, identity.token);
  set({ identity, expired: false });
}

export function signOut(): void {
  sessionStorage.removeItem(KEY);
  set({ identity: null, expired: false });
}

/** The service takes this token no more. */
export function expire(token: string | undefined): void {
  if (token === undefined || token !== state.identity?.token || state.expired) return;
  sessionStorage.removeItem(KEY);
  set({ ...state, expired: true });
}

function set(next: State): void {
  state = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function remembered(): Identity | null {
  try {
    const token = sessionStorage.getItem(KEY);
    return token ? read(token) : null;
  } catch {
    return null;
  }
}

/** Reads the claims to show them. Whether they are true is the gateway's to say. */
function read(token: string): Identity {
  const claims = decoded(token.split(".")[1]);
  if (typeof claims?.sub !== "string" || typeof claims.exp !== "number") throw new Error("This is not a token.");
  if (claims.exp * 1000 <= Date.now()) throw new Error("This token has expired.");
  return {
    token,
    id: claims.sub,
    name: typeof claims.name === "string" ? claims.name : String(claims.role),
    role: claims.role as Role,
  };
}

function decoded(part: string | undefined): Record<string, unknown> | null {
  try {
    const bytes = Uint8Array.from(atob((part ?? "").replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
  } catch {
    return null;
  }
}
