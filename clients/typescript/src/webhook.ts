/** Webhooks after Standard Webhooks (https://www.standardwebhooks.com), with the Web Crypto API. */

import type { SegmentEvent } from "./event-parser.js";

/** Seconds. */
const TOLERANCE = 300;

/** It was not signed with the secret, was changed, or is older than 5 minutes. */
export class WrongSignature extends Error {
  override readonly name = "WrongSignature";
}

/**
 * The event in a webhook.
 *
 * `secret` is `whsec_…`; `body` is the request's, as it came.
 * @throws {WrongSignature}
 */
export async function verifyWebhook(secret: string, headers: Headers, body: string): Promise<SegmentEvent> {
  const id = headers.get("webhook-id") ?? "";
  const timestamp = headers.get("webhook-timestamp") ?? "";
  const age = Math.abs(Date.now() / 1000 - Number(timestamp));
  if (!/^\d+$/.test(timestamp) || age > TOLERANCE) throw new WrongSignature("The time stamp is missing or too old.");
  const key = await crypto.subtle.importKey(
    "raw",
    bytes(secret.replace(/^whsec_/, "")),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["verify"],
  );
  const signed = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
  for (const given of (headers.get("webhook-signature") ?? "").split(" ")) {
    const [version, signature] = given.split(",");
    if (version !== "v1" || signature === undefined) continue;
    if (await crypto.subtle.verify("HMAC", key, bytes(signature), signed)) return JSON.parse(body) as SegmentEvent;
  }
  throw new WrongSignature("It was not signed with this secret, or was changed.");
}

function bytes(base64: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  } catch {
    throw new WrongSignature("It is not base64.");
  }
}
