// A token, pasted; on a development stack, somebody to be.
import { type SyntheticEvent, useState } from "react";

import { signIn } from "../../api/identity";
import { becomeDemoPerson } from "../../api/requests/becomeDemoPerson";
import { type DemoPerson, useDemoPeople } from "../../api/requests/getSignIn";
import { inWords } from "../../components/refusals";

export function SignInForm() {
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
    <>
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
        {error !== null && (
          <p className="refused" role="alert">
            {inWords(error)}
          </p>
        )}
        <button type="submit" className="main">
          Sign in
        </button>
        <p className="muted">It stays in this tab, and is forgotten when you close it.</p>
      </form>
    </>
  );
}

function DemoPeople({ people, onChoose }: { people: readonly DemoPerson[]; onChoose: (id: string) => void }) {
  const accounts = Map.groupBy(people, (person) => person.account);
  return (
    <section className="card people" aria-labelledby="demo">
      <h2 id="demo">Development stack: sign in as</h2>
      {[...accounts].map(([account, members]) => (
        <div key={account} role="group" aria-label={account}>
          <h3>{account}</h3>
          {members.map((person) => (
            <button key={person.id} type="button" onClick={() => onChoose(person.id)}>
              {person.name} <span className="muted">{person.role}</span>
            </button>
          ))}
        </div>
      ))}
    </section>
  );
}
