import { useTitle } from "../../components/useTitle";
import { SignInForm } from "./SignInForm";

export function SignIn() {
  useTitle("Sign in");
  return (
    <main className="sign-in">
      <h1>
        <img src="/favicon.svg" alt="" width="36" height="36" /> ResolutionFlow
      </h1>
      <p className="muted">What came of every suggested fix, recorded truthfully.</p>
      <SignInForm />
    </main>
  );
}
