// A change followed to its end: asked again under the same key while nobody answers, and while it is queued.
import { currentIdentity } from "./identity";
import { Problem, isUnreachable } from "./problem";
import { getOperation } from "./requests/getOperation";
import type { Operation } from "./types";

const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 5_000;
const FOLLOW_MS = 1_000;
const QUEUED = 202;
const NOT_THERE = 404;

interface Answer<T> {
  data?: T | Operation;
  response: Response;
}

/** What the service decided. Raises Problem where it refused, or a TypeError where nobody could be reached. */
export async function decided<T>(
  ask: () => Promise<Answer<T>>,
  onQueued: (operation: Operation) => void,
): Promise<T> {
  const { data, response } = await persistently(ask);
  if (response.status !== QUEUED) return data as T;
  return follow<T>(data as Operation, onQueued);
}

async function persistently<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      const again = isUnreachable(error) || (error instanceof Problem && error.passing);
      if (!again || attempt === ATTEMPTS) throw error;
      const wished = error instanceof Problem ? (error.retryAfterS ?? 0) * 1000 : 0;
      await pause(Math.min(Math.max(wished, FIRST_PAUSE_MS * 2 ** (attempt - 1)), LONGEST_PAUSE_MS));
    }
  }
}

async function follow<T>(operation: Operation, onQueued: (operation: Operation) => void): Promise<T> {
  let current = operation;
  for (;;) {
    if (current.status === "succeeded") return current.answer as T;
    if (current.status === "rejected") throw new Problem(current.http_status ?? 409, current.answer ?? {});
    onQueued(current);
    await pause(FOLLOW_MS);
    current = await asked(current);
  }
}

/** An outage is no answer, nor is a token that has ended: what was queued stays queued. */
async function asked(operation: Operation): Promise<Operation> {
  try {
    return await getOperation(operation.operation_id);
  } catch (error) {
    if ((error instanceof Problem && error.status === NOT_THERE) || currentIdentity() === null) throw error;
    return operation;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
