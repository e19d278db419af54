import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useEffect } from "react";
import { Redirect, Route, Switch, useLocation } from "wouter";

import { useIdentity } from "../api/identity";
import { Problem } from "../api/problem";
import { Queue } from "../features/queue/Queue";
import { SessionList } from "../features/sessions/SessionList";
import { SignIn } from "../features/sign-in/SignIn";
import { Header } from "./Header";
import { SessionPage } from "./pages/SessionPage";
import { applyTheme } from "./theme";

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      retry: (count, error) => count < 3 && !(error instanceof Problem && !error.passing),
    },
  },
});
applyTheme();

export function App() {
  return (
    <QueryClientProvider client={client}>
      <Signed />
    </QueryClientProvider>
  );
}

function Signed() {
  const { identity } = useIdentity();
  // What one person read is not for the next at this tab.
  useEffect(() => () => client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "sign-in" }), [identity?.token]);
  if (!identity) return <SignIn />;
  const mayAct = identity.role === "engineer" || identity.role === "lead" || identity.role === "admin";
  return (
    <>
      <Header identity={identity} />
      <Switch>
        <Route path="/sessions">
          <SessionList mayAct={mayAct} />
        </Route>
        <Route path="/sessions/:id">{({ id }) => <SessionPage key={id} id={id} mayAct={mayAct} />}</Route>
        <Route path="/awaiting">
          <Queue mayAct={mayAct} />
        </Route>
        <Route>
          <Home />
        </Route>
      </Switch>
    </>
  );
}

function Home() {
  const [location] = useLocation();
  return location === "/" ? <Redirect to="/sessions" replace /> : <p className="empty">There is nothing here.</p>;
}
