/**
 * Errors from outside this page. Their messages are sentences for the viewer.
 *
 *     UserFacingError     raised as such where the LiveKit server cannot be joined
 *      ├ Problem          the service answered with an error
 *      └ Unreachable      the service did not answer
 */

export class UserFacingError extends Error {
  override readonly name: string = "UserFacingError";
}

/** An answer of `application/problem+json` (RFC 9457). */
export class Problem extends UserFacingError {
  override readonly name = "Problem";
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

export class Unreachable extends UserFacingError {
  override readonly name = "Unreachable";

  constructor() {
    super("The service does not answer. Check that it runs and that this device can reach it.");
  }
}

/** The sentence to show for any caught error. */
export function messageOf(error: unknown): string {
  if (error instanceof UserFacingError) return error.message;
  return `Something went wrong in this page: ${error instanceof Error ? error.message : String(error)}`;
}

/** The request was aborted through its signal. */
export function isAborted(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
