/** A client of Mouthpiece's HTTP API; docs/api.md says what each call does. */

export { Client, type ClientOptions, type EventsOf, type SegmentOptions, type Sound } from "./client.js";
export { ClientError, type ProblemDetails, ServiceProblem, ServiceUnavailable, UnexpectedAnswer } from "./errors.js";
export type { Gap, SegmentEvent, StreamEvent } from "./event-parser.js";
export type { components, operations, paths } from "./schema.js";
export { verifyWebhook, WrongSignature } from "./webhook.js";
