import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Api } from "../src/io/api.ts";

/** An XMLHttpRequest that records what it sends and answers with an empty object. */
class FakeRequest {
  static readonly sent: { method: string; path: string; body: unknown }[] = [];
  readonly upload = {};
  readonly status = 202;
  readonly responseText = "{}";
  onload: () => void = () => {};
  #opened = { method: "", path: "" };

  open(method: string, url: URL): void {
    this.#opened = { method, path: url.pathname };
  }

  setRequestHeader(): void {}

  send(body: string): void {
    FakeRequest.sent.push({ ...this.#opened, body: JSON.parse(body) });
    this.onload();
  }
}

beforeEach(() => {
  FakeRequest.sent.length = 0;
  vi.stubGlobal("XMLHttpRequest", FakeRequest);
});
afterEach(() => vi.unstubAllGlobals());

const api = new Api(new URL("http://service.example/v1/"), {
  current: () => null,
  refused: () => Promise.resolve(null),
});

test("a text is sent with the chosen voice and its provider", async () => {
  await api.speakText("a room", "Hello.", { id: "heart", name: "Heart", provider: "acme" });
  expect(FakeRequest.sent).toEqual([
    { method: "POST", path: "/v1/rooms/a%20room/segments", body: { text: "Hello.", voice: "heart", tts: "acme" } },
  ]);
});

test.each([
  [undefined, { text: "Hello." }],
  [{ id: "heart" }, { text: "Hello.", voice: "heart" }],
  [
    { id: "heart", provider: null },
    { text: "Hello.", voice: "heart" },
  ],
])("what is not chosen is left out of the request: %o", async (voice, body) => {
  await api.speakText("demo", "Hello.", voice);
  expect(FakeRequest.sent.map((request) => request.body)).toEqual([body]);
});
