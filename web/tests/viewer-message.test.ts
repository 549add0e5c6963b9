import { expect, test } from "vitest";
import { viewerMessage } from "../src/core/viewer-message.ts";

test("a sentence for viewers stays as it is", () => {
  const detail = "The queue of this room is full. Try again in a minute.";
  expect(viewerMessage({ type: "queue-full", title: "The queue is full", detail }, "")).toBe(detail);
});

test.each([
  ["no-key", "Send one of this service's keys: `Authorization: Bearer <key>`.", "This service needs a key."],
  ["tts-bad-voice", "There is no voice “x”; GET /v1/voices lists them.", /^This service does not have that voice/],
  ["livekit-refused", "LIVEKIT_API_KEY is not that of the server.", "The LiveKit server does not accept this service."],
])("the problem %s has a sentence of its own", (type, detail, shown) => {
  expect(viewerMessage({ type, detail }, "")).toMatch(shown);
});

test.each([
  [
    "The avatar heard nothing. Try MOUTHPIECE_SENDER_IDENTITY for a receiver that is bound.",
    "The avatar heard nothing.",
  ],
  ["There is nothing at /v1/x; /docs says what there is.", "The title."],
  ["Set `a`. Then DELETE /v1/rooms.", "The title."],
  ["", "The title."],
])("what is for operators is left out of “%s”", (detail, shown) => {
  expect(viewerMessage({ type: "other", title: "The title", detail }, "")).toBe(shown);
});

test("without a title the caller's sentence is shown", () => {
  expect(viewerMessage({ detail: "AVATAR_ID is missing." }, "It could not be said.")).toBe("It could not be said.");
  expect(viewerMessage({}, "It failed.")).toBe("It failed.");
});

test("capital letters alone name no setting", () => {
  const detail = "This is not a WAV, MP3, FLAC or Ogg file.";
  expect(viewerMessage({ type: "not-audio", detail }, "")).toBe(detail);
});
