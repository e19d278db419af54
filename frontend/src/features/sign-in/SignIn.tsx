import { type SyntheticEvent, useState } from "react";

import { signIn, useIdentity } from "../../api/identity";
import { becomeDemoPerson } from "../../api/requests/becomeDemoPerson";
import { type DemoPerson, useDemoPeople } from "../../api/requests/getSignIn";
import { inWords } from "../../components/refusals";

export function SignIn() {
  const { ended } = useIdentity();
  const people = useDemoPeople();
  const [token, setToken] = useState("");
  const [error, setError] = useState<unknown>(null);
  const enter = async (getToken: () => Promise<string> | string) => {
    try {
      signIn(await getToken());
    } catch (refusal) {
      setError(refusal);
    }
  };
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    void enter(() => token);
  };
  return (
    <main className="sign-in">
      <h1>
        <img src="/favicon.svg" alt="" width="36" height="36" /> ResolutionFlow
      </h1>
      <p className="muted">What came of every suggested fix, recorded truthfully.</p>
      {ended && <p role="status">{ended}</p>}
      {people.length > 0 && <DemoPeople people={people} onChoose={(id) => void enter(() => becomeDemoPerson(id))} />}
      <form className="stacked card" onSubmit={submit}>
        <label>
          Your token
          <input
            type="password"
            autoComplete="off"
            spellCheck={false}
            required
            value={token}
            onChange={(event) => setToken(event.target.value)}
          />
        </label>
        <p className="muted">It stays in this tab, and is forgotten when you close it.</p>
        {error !== null && (
          <p className="refused" role="alert">
            {inWords(error)}
          </p>
        )}
        <button type="submit" className="main">
          Sign in
        </button>
      </form>
    </main>
  );
}

function DemoPeople({ people, onChoose }: { people: readonly DemoPerson[]; onChoose: (id: string) => void }) {
  const accounts = [...new Set(people.map((person) => person.account))];
  return (
    <section className="card" aria-labelledby="demo">
      <h2 id="demo">Development stack: be somebody</h2>
      {accounts.map((account) => (
        <div key={account} className="people">
          <h3>{account}</h3>
          {people
            .filter((person) => person.account === account)
            .map((person) => (
              <button key={person.id} type="button" onClick={() => onChoose(person.id)}>
                {person.name} <span className="muted">{person.role}</span>
              </button>
            ))}
        </div>
      ))}
    </section>
  );
}
