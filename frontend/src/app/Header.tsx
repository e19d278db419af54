import { useState } from "react";
import { Link, useLocation } from "wouter";

import { type Identity, signOut } from "../api/identity";
import { usePendingVerifications } from "../api/requests/listPendingVerifications";
import { useShortcuts } from "../components/shortcuts";
import { Shortcuts } from "./Shortcuts";
import { useTheme } from "./theme";

export function Header({ identity }: { identity: Identity }) {
  const [location, navigate] = useLocation();
  const [help, setHelp] = useState(false);
  const [theme, toggleTheme] = useTheme();
  const { data: pending } = usePendingVerifications(false, 15_000);
  useShortcuts({ "?": () => setHelp(true), s: () => navigate("/sessions"), q: () => navigate("/awaiting") });
  const here = (path: string) => (location.startsWith(path) ? "page" : undefined);

  return (
    <header className="top">
      <nav aria-label="Main">
        <Link href="/sessions" className="brand">
          <img src="/favicon.svg" alt="" width="22" height="22" /> <span>ResolutionFlow</span>
        </Link>
        <Link href="/sessions" aria-current={here("/sessions")} aria-keyshortcuts="s">
          Sessions
        </Link>
        <Link href="/awaiting" aria-current={here("/awaiting")} aria-keyshortcuts="q">
          Awaiting<span className="wide-only"> verification</span>
          {pending && pending.length > 0 && <span className="count">{pending.length}</span>}
        </Link>
      </nav>
      <div className="top-right">
        <span className="muted wide-only">
          {identity.name} · {identity.role}
        </span>
        <button type="button" className="quiet" aria-label="Keyboard shortcuts" onClick={() => setHelp(true)}>
          ?
        </button>
        <button
          type="button"
          className="quiet"
          aria-label={theme === "dark" ? "Light colours" : "Dark colours"}
          onClick={toggleTheme}
        >
          {theme === "dark" ? "☀" : "☾"}
        </button>
        <button type="button" className="quiet" onClick={() => signOut()}>
          Sign out
        </button>
      </div>
      {help && <Shortcuts onClose={() => setHelp(false)} />}
    </header>
  );
}
