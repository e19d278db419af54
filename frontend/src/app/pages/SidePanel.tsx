import { Tabs } from "radix-ui";

import type { Fact, HistoryEntry, SessionWithFixes } from "../../api/types";
import { NotePanel } from "../../features/notes/NotePanel";
import { Facts } from "../../features/record/Facts";
import { Fixes } from "../../features/record/Fixes";
import { SuggestFix } from "../../features/record/SuggestFix";

interface Props {
  session: SessionWithFixes;
  facts: readonly Fact[];
  history: readonly HistoryEntry[];
  inBanner: string | undefined;
  mayAct: boolean;
}

export function SidePanel({ session, facts, history, inBanner, mayAct }: Props) {
  const fixes = session.fixes ?? [];
  const open = mayAct && session.status === "active";
  const note = { sessionId: session.id, version: session.state_version };
  return (
    <Tabs.Root className="side" defaultValue="note" asChild>
      <aside aria-label="What is recorded and written">
        <Tabs.List className="tabs" aria-label="Record">
          <Tabs.Trigger value="note">Note</Tabs.Trigger>
          <Tabs.Trigger value="package">Escalation</Tabs.Trigger>
          <Tabs.Trigger value="fixes">Fixes {count(fixes.length)}</Tabs.Trigger>
          <Tabs.Trigger value="facts">Facts {count(facts.length)}</Tabs.Trigger>
        </Tabs.List>
        <Tabs.Content value="note" className="panel">
          <NotePanel {...note} kind="resolution_note" />
        </Tabs.Content>
        <Tabs.Content value="package" className="panel">
          <NotePanel {...note} kind="escalation_package" />
        </Tabs.Content>
        <Tabs.Content value="fixes" className="panel">
          {open && <SuggestFix sessionId={session.id} />}
          <Fixes fixes={fixes} history={history} inBanner={inBanner} mayAct={mayAct} />
        </Tabs.Content>
        <Tabs.Content value="facts" className="panel">
          <Facts sessionId={session.id} facts={facts} mayAct={open} />
        </Tabs.Content>
      </aside>
    </Tabs.Root>
  );
}

function count(number: number) {
  return number > 0 && <span className="count">{number}</span>;
}
