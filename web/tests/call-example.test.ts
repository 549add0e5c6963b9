import { expect, test } from "vitest";
import { callExample } from "../src/core/call-example.ts";

const API = new URL("http://127.0.0.1:8090/v1/");

test("the commands call the room that the page shows", () => {
  expect(callExample(API, "demo", false)).toBe(
    `curl 'http://127.0.0.1:8090/v1/rooms/demo/segments' -H 'Content-Type: application/json' -d '{"text": "Good morning!"}'

curl 'http://127.0.0.1:8090/v1/rooms/demo/segments' -F file=@greeting.wav`,
  );
});

test("a placeholder stands for a room that is not known yet", () => {
  expect(callExample(API, null, false)).toContain("/rooms/ROOM/segments");
});

test("the key comes from the shell, never from the page", () => {
  expect(callExample(API, "demo", true)).toContain('-H "Authorization: Bearer $KEY"');
});

test("a room's name cannot leave its quotes", () => {
  expect(callExample(API, "it's; rm -rf", false)).toContain("/rooms/it%27s%3B%20rm%20-rf/segments'");
});
