import { describe, expect, test } from "vitest";
import { contentType, refusal } from "../src/core/files.ts";

describe("a file's content type", () => {
  test.each([
    ["a.wav", "audio/wav", "audio/wav"],
    ["a.wav", "audio/x-wav", "audio/x-wav"],
    ["a.webm", "video/webm", "audio/webm"],
    ["A.M4A", "", "audio/mp4"],
    ["a.b.opus", "", "audio/ogg"],
    ["a.ogg", "application/ogg", "audio/ogg"],
    ["sound", "", "application/octet-stream"],
    ["a.wav", "text/plain", "audio/wav"],
  ])("%s (%s) is sent as %s", (name, type, sent) => {
    expect(contentType({ name, type, size: 1 })).toBe(sent);
  });
});

describe("a file is refused before it is sent", () => {
  test.each([
    ["holiday.png", "image/png"],
    ["notes.txt", "text/plain"],
    ["paper.pdf", "application/pdf"],
    ["film.mkv", "video/x-matroska"],
  ])("%s: it is no sound", (name, type) => {
    expect(refusal({ name, type, size: 1 })).toContain(name);
  });

  test("an empty one", () => {
    expect(refusal({ name: "a.wav", type: "audio/wav", size: 0 })).toContain("empty");
  });

  test.each([
    ["a.wav", "audio/wav"],
    ["unknown", ""],
    ["unknown.bin", "application/octet-stream"],
    ["clip.webm", "video/webm"],
  ])("not %s (%s): the service decides", (name, type) => {
    expect(refusal({ name, type, size: 1 })).toBeNull();
  });
});
