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
        <button type="button" className="quiet icon" aria-label="Keyboard shortcuts" onClick={() => setHelp(true)}>
          ?
        </button>
        <button
          type="button"
          className="quiet icon"
          aria-label={theme === "dark" ? "Light colours" : "Dark colours"}
          onClick={toggleTheme}
        >
          <ThemeIcon dark={theme === "dark"} />
        </button>
        <button type="button" className="quiet" onClick={() => signOut()}>
          Sign out
        </button>
      </div>
      {help && <Shortcuts onClose={() => setHelp(false)} />}
    </header>
  );
}

function ThemeIcon({ dark }: { dark: boolean }) {
  return (
    <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      {dark ? (
        <>
          <circle cx="8" cy="8" r="3" />
          <path d="M8 1v2M8 13v2M1 8h2M13 8h2M3 3l1.5 1.5M11.5 11.5L13 13M3 13l1.5-1.5M11.5 4.5L13 3" />
        </>
      ) : (
        <path d="M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5z" />
      )}
    </svg>
  );
}
