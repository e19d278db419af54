import { useQuery } from "@tanstack/react-query";

import { keys } from "../keys";
import { problemOf } from "../problem";

export interface DemoPerson {
  id: string;
  name: string;
  role: string;
  account: string;
}

/** Whom one may be without a token: on a development stack alone. It is no part of the API, so it is not generated. */
export function useDemoPeople(): DemoPerson[] {
  const { data } = useQuery({ queryKey: keys.signIn, queryFn: getSignIn, staleTime: Infinity, retry: false });
  return data ?? [];
}

async function getSignIn(): Promise<DemoPerson[]> {
  const response = await fetch("/sign-in");
  if (!response.ok) throw await problemOf(response);
  return ((await response.json()) as { people: DemoPerson[] }).people;
}
