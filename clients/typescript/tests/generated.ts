/** What openapi-typescript makes of the document, used through openapi-fetch alone: `node generated.js URL`. */

import { strict as assert } from "node:assert";
import createClient from "openapi-fetch";
import type { paths } from "../src/schema.js";

const baseUrl = process.argv[2] ?? "";
const client = createClient<paths>({ baseUrl });
const path = { room: "x" };

const opened = await client.POST("/v1/rooms", { body: { room: "x" } });
assert.equal(opened.data?.room, "x");
const query = { avatar: "avatar-x" };
const text = await client.POST("/v1/rooms/{room}/segments", { params: { path, query }, body: { text: "Hello." } });
const samples = await client.POST("/v1/rooms/{room}/segments", {
  params: { path, query, header: { "Idempotency-Key": "samples" } },
  headers: { "Content-Type": "audio/pcm;rate=16000;channels=1" },
  body: new Uint8Array(32_000) as unknown as string, // the generator has no type for bytes
  bodySerializer: (body) => body as unknown as BodyInit,
});
assert.equal(samples.data?.audio.duration, 1);
assert.equal(samples.data?.source.kind, "file");
const id = text.data?.id ?? "";
const listed = await client.GET("/v1/rooms/{room}/segments", { params: { path, query: { state: ["queued"] } } });
assert.deepEqual(listed.data?.segments.map((one) => one.id), [samples.data?.id, id]);
const stopped = await client.POST("/v1/rooms/{room}/interrupt", { params: { path }, body: { queued: "drop" } });
assert.deepEqual(stopped.data?.segments.map((one) => one.state), ["cancelled", "cancelled"]);
const params = { path: { segment_id: id }, query: { wait: "finished" as const, timeout: 5 } };
assert.equal((await client.GET("/v1/segments/{segment_id}", { params })).data?.state, "cancelled");
const { data } = await client.GET("/v1/segments/{segment_id}/events", { params: { path: { segment_id: id } } });
assert.ok(typeof data === "object"); // the other kind is a stream
assert.deepEqual(data.events.map((event) => event.type), ["segment.queued", "segment.cancelled"]);
const stream = await client.GET("/v1/rooms/{room}/events", {
  params: { path, query: { after: "0" } },
  parseAs: "stream",
});
const first = await stream.data?.getReader().read();
assert.match(new TextDecoder().decode(first?.value), /^retry: 1000/);
const refused = await client.GET("/v1/segments/{segment_id}", { params: { path: { segment_id: "none" } } });
assert.equal(refused.error?.type, "segment-not-found");
process.stdout.write("done\n");
process.exit(0);
