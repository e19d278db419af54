// The names that the page uses for the generated shapes.
import type { components } from "./schema.gen";

type Schemas = components["schemas"];

export type Fix = Schemas["Fix"];
export type Outcome = Schemas["Outcome"];
export type Proposal = Schemas["OutcomeProposal"];
export type Session = Schemas["Session"];
export type SessionWithFixes = Schemas["SessionWithFixes"];
export type SessionStatus = Schemas["SessionStatus"];
export type ChatMessage = Schemas["ChatMessage"];
export type MessageRole = Schemas["MessageRole"];
export type Fact = Schemas["Fact"];
export type Visibility = Schemas["Visibility"];
export type HistoryEntry = Schemas["HistoryEntry"];
export type Operation = Schemas["Operation"];
export type Citation = Schemas["Citation"];
export type Preview = Schemas["Preview"];
export type PendingVerification = Schemas["PendingVerification"];
export type ProblemBody = Schemas["Problem"];
export type NewSession = Schemas["NewSession"];
export type NewFix = Schemas["NewFix"];

export type NoteKind = "resolution_note" | "escalation_package";
