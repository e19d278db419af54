// The page's words for what the API names.
import type { Outcome } from "../api/types";

export const OUTCOME: Record<Outcome, string> = {
  applied_success: "worked",
  applied_failed: "didn't work",
  applied_partial: "partly applied",
  applied_pending: "waiting to verify",
  dismissed: "dismissed",
};

export const STATUS: Record<string, string> = { ...OUTCOME, proposed: "suggested" };

/** "6 min ago": as exact as somebody wants to know. */
export function ago(at: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(at)) / 1000));
  if (seconds < 2) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ago`;
  return `${Math.floor(hours / 24)} days ago`;
}

/** What a session is called where it has no title. */
export function titleOf(session: { title?: string | null; intake_content: { text: string } }): string {
  return session.title ?? session.intake_content.text.split("\n")[0]?.slice(0, 120) ?? "Untitled";
}
