import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { Fragment, useEffect } from "react";
import { Redirect, Route, Switch } from "wouter";

import { useIdentity } from "../api/identity";
import { Problem } from "../api/problem";
import { Dialog } from "../components/Dialog";
import { Queue } from "../features/queue/Queue";
import { SessionList } from "../features/sessions/SessionList";
import { SignIn } from "../features/sign-in/SignIn";
import { SignInForm } from "../features/sign-in/SignInForm";
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
  const { identity, expired } = useIdentity();
  // What one person read is not for the next at this tab; what was refused to an old token is asked for again.
  useEffect(() => () => client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "sign-in" }), [identity?.id]);
  useEffect(() => () => void client.invalidateQueries(), [identity?.token]);
  if (!identity) return <SignIn />;
  const mayAct = identity.role === "engineer" || identity.role === "lead" || identity.role === "admin";
  return (
    <Fragment key={identity.id}>
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
          <Redirect to="/sessions" replace />
        </Route>
      </Switch>
      {expired && (
        <Dialog title="Sign in again">
          <p>Your token is no longer valid. What you were writing is still here.</p>
          <SignInForm />
        </Dialog>
      )}
    </Fragment>
  );
}
