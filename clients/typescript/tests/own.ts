/** The client against a service that is started again in the middle of each call: `node own.js URL WEBHOOK-JSON`. */

import { strict as assert } from "node:assert";
import { createInterface } from "node:readline";
import { Client, ServiceProblem, ServiceUnavailable, UnexpectedAnswer, verifyWebhook, WrongSignature } from "../src/index.js";

const [url = "", webhook = "{}"] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const client = new Client(url);
const options = { avatar: "avatar-x", tag: "new" };

/** From here on the next answer is lost, and the service started again. */
async function lose(): Promise<void> {
  process.stdout.write("lose\n");
  await lines.next();
}

const waiting = await client.say("demo", "This waits.", { avatar: "avatar-x" });
const followed = client.events({ after: "0" });
const PCM = { ...options, contentType: "audio/pcm;rate=16000;channels=1" };
const calls: readonly [string, () => Promise<unknown>][] = [
  ["say", () => client.say("demo", "Hello.", { ...options, metadata: { shop: "Lyon" } })],
  ["play samples", () => client.play("demo", new Uint8Array(32_000), PCM)],
  ["play a file", () => client.play("demo", new Blob([wav()], { type: "audio/wav" }), options)],
  ["wait", () => client.wait(waiting.id, 0.1)],
  ["segment", () => client.segment(waiting.id)],
  ["segments", () => client.segments("demo", { state: ["queued", "playing"], limit: 10 })],
  ["cancel", () => client.cancel(waiting.id)],
  ["interrupt", () => client.interrupt("demo")],
  ["pause", () => client.pause("demo")],
  ["resume", () => client.resume("demo")],
  ["openRoom", () => client.openRoom({ room: "demo" })],
  ["room", () => client.room("demo")],
  ["rooms", () => client.rooms()],
  ["voices", () => client.voices()],
  ["token", () => client.token("demo")],
  ["ticket", () => client.ticket("demo")],
  ["webhooks", () => client.webhooks()],
  ["deliveries", () => client.deliveries({ state: "pending", limit: 5 })],
];
for (const [name, call] of calls) {
  await lose();
  assert.ok(await call(), name);
}
const said = (await client.segments("demo", { tag: "new" })).segments;
assert.equal(said.length, 3, "each was said once");
assert.deepEqual(said[2]?.metadata, { shop: "Lyon" });

await client.openRoom({ room: "over" });
await lose();
await client.endRoom("over"); // it is gone when it is sent again
await assert.rejects(client.endRoom("over"), { slug: "room-not-found" });
await assert.rejects(client.retryDelivery("1"), { slug: "delivery-not-found" });

const types: string[] = [];
for await (const event of followed) {
  assert.ok(event.type === "gap" || "segment" in event);
  types.push(event.type);
  if (types.length === 3) await lose(); // a stream that is cut
  if (types.length === 5) break;
}
assert.deepEqual(types.sort(), ["segment.cancelled", ...Array(4).fill("segment.queued")]);

const history: string[] = [];
for await (const event of client.events({ segment: waiting.id })) history.push(event.type);
assert.deepEqual(history, ["segment.queued", "segment.cancelled"]);
assert.equal((await client.wait(waiting.id)).state, "cancelled");

await assert.rejects(client.say("demo", ""), (error: unknown) => {
  assert.ok(error instanceof ServiceProblem);
  assert.deepEqual([error.status, error.slug, error.retryable], [400, "tts-bad-text", false]);
  return true;
});
await assert.rejects(new Client("http://127.0.0.1:1", { retryFor: 0 }).rooms(), ServiceUnavailable);
const other = new Client(url, { fetch: async () => new Response("<html>") });
await assert.rejects(other.rooms(), UnexpectedAnswer);

const { secret, headers, body } = JSON.parse(webhook) as Record<string, string> & { headers: Record<string, string> };
assert.equal((await verifyWebhook(secret ?? "", new Headers(headers), body ?? "")).type, "segment.finished");
await assert.rejects(verifyWebhook(secret ?? "", new Headers(headers), `${body} `), WrongSignature);
process.stdout.write("done\n");
process.exit(0);

/** A second of silence. */
function wav(): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(44 + 32_000));
  const text = (at: number, letters: string) => [...letters].forEach((l, i) => view.setUint8(at + i, l.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 32_000, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, 16_000, true);
  view.setUint32(28, 32_000, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 32_000, true);
  return view.buffer;
}
