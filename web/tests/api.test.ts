import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Api } from "../src/io/api.ts";

/** Takes every request and answers with an empty object. */
class FakeRequest {
  static readonly sent: { method: string; path: string; body: unknown }[] = [];
  readonly upload = {};
  readonly status = 202;
  readonly responseText = "{}";
  onload: () => void = () => {};
  #asked = { method: "", path: "" };

  open(method: string, url: URL): void {
    this.#asked = { method, path: url.pathname };
  }

  setRequestHeader(): void {}

  send(body: string): void {
    FakeRequest.sent.push({ ...this.#asked, body: JSON.parse(body) });
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

test("a text is spoken with the voice of the provider that was chosen", async () => {
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
])("nothing is said of what is not known: %o", async (voice, body) => {
  await api.speakText("demo", "Hello.", voice);
  expect(FakeRequest.sent.map((request) => request.body)).toEqual([body]);
});
