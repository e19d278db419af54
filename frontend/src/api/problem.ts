// Refusals as the gateway gives them (RFC 9457), and the refusal to answer at all.
import type { Fix, ProblemBody } from "./types";

type Members = Partial<ProblemBody> & { current?: Fix; fixes?: Fix[] | string[] };

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly body: Members,
    readonly retryAfterS: number | null = null,
  ) {
    super(body.detail ?? "The service gave no reason.");
    this.name = "Problem";
  }

  get code(): string {
    return this.body.code ?? "unknown";
  }

  /** Worth the same request again: nothing was decided. */
  get passing(): boolean {
    return this.status === 503 || this.status === 429 || this.status === 502 || this.status === 504;
  }
}

export async function problemOf(response: Response): Promise<Problem> {
  const retry = Number(response.headers.get("Retry-After"));
  const body = (await response.json().catch(() => ({}))) as Members;
  return new Problem(response.status, body, Number.isFinite(retry) && retry > 0 ? retry : null);
}

/** No answer came: fetch found nobody, or nobody answered in time. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof TypeError || (error instanceof DOMException && error.name === "TimeoutError");
}
