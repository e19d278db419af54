// Under which key each answer is remembered.
import type { NoteKind } from "./types";

export const keys = {
  signIn: ["sign-in"] as const,
  sessions: ["sessions"] as const,
  sessionList: (search: string, status: string) => ["sessions", { search, status }] as const,
  pending: ["pending"] as const,
  pendingList: (mine: boolean) => ["pending", { mine }] as const,
  session: (id: string) => ["session", id] as const,
  messages: (id: string) => ["session", id, "messages"] as const,
  facts: (id: string) => ["session", id, "facts"] as const,
  history: (id: string) => ["session", id, "history"] as const,
  note: (id: string, kind: NoteKind) => ["note", id, kind] as const,
  /** How far a note that is being written has got. */
  writing: (id: string, kind: NoteKind) => ["writing", id, kind] as const,
};
