/** What a call can end with instead of an answer. */

import type { components } from "./schema.js";

export type ProblemDetails = components["schemas"]["ProblemDetails"];

/** Base of the client's errors. */
export class ClientError extends Error {
  override readonly name: string = "ClientError";
  /** The same call may succeed later. */
  readonly retryable: boolean = false;
  /** Seconds after which, where the service says so. */
  readonly retryAfter: number | null = null;
}

/** The service could not be reached, or its answer was lost, for as long as it was tried. */
export class ServiceUnavailable extends ClientError {
  override readonly name = "ServiceUnavailable";
  override readonly retryable = true;

  constructor(cause: unknown) {
    super("The service cannot be reached.", { cause });
  }
}

/** The answer is not one of a Mouthpiece service: the address is another's, or a proxy answered. */
export class UnexpectedAnswer extends ClientError {
  override readonly name = "UnexpectedAnswer";
  /** A proxy answers 502, 503 or 504 while the service behind it is away. */
  override readonly retryable: boolean;

  constructor(readonly status: number) {
    super(`It answered ${status}, and not as a Mouthpiece service does.`);
    this.retryable = [502, 503, 504].includes(status);
  }
}

/** The service refused: an error after RFC 9457. */
export class ServiceProblem extends ClientError {
  override readonly name = "ServiceProblem";
  override readonly retryable: boolean;
  readonly status: number;
  /** The stable `type`. */
  readonly slug: string;
  readonly detail: string;
  /** The parameter, header or key at fault. */
  readonly field: string | null;

  constructor(
    problem: Pick<ProblemDetails, "status" | "type" | "detail"> & Partial<ProblemDetails>,
    override readonly retryAfter: number | null,
  ) {
    super(`${problem.status} ${problem.type}: ${problem.detail}`);
    this.status = problem.status;
    this.slug = problem.type;
    this.detail = problem.detail;
    this.field = problem.field ?? null;
    this.retryable = problem.retryable === true;
  }
}

/** The error in an answer that is no success, or of another kind than was asked for. */
export async function failureOf(answer: Response): Promise<ServiceProblem | UnexpectedAnswer> {
  const value = await objectOf(answer);
  const detail = value["detail"] ?? value["title"];
  if (answer.ok || typeof detail !== "string") return new UnexpectedAnswer(answer.status);
  const type = typeof value["type"] === "string" ? value["type"] : "unknown";
  const after = answer.headers.get("Retry-After") ?? "";
  const problem = { ...value, status: answer.status, type, detail };
  return new ServiceProblem(problem, /^\d+$/.test(after) ? Number(after) : null);
}

/** The JSON object in an answer; an empty one if there is none. */
export async function objectOf(answer: Response): Promise<Record<string, unknown>> {
  const text = await answer.text();
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
  } catch {
    return {};
  }
}
