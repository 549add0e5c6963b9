import { describe, expect, test } from "vitest";
import { contentType, refusal } from "../src/core/files.ts";
import { NO_LIMITS } from "../src/core/limits.ts";

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
    expect(refusal({ name, type, size: 1 }, NO_LIMITS)).toContain(name);
  });

  test("an empty one", () => {
    expect(refusal({ name: "a.wav", type: "audio/wav", size: 0 }, NO_LIMITS)).toContain("empty");
  });

  test.each([
    ["a.wav", "audio/wav"],
    ["unknown", ""],
    ["unknown.bin", "application/octet-stream"],
    ["clip.webm", "video/webm"],
  ])("not %s (%s): the service decides", (name, type) => {
    expect(refusal({ name, type, size: 1 }, NO_LIMITS)).toBeNull();
  });

  test("one that is larger than the service accepts, with its form", () => {
    const limits = { maxUpload: 5_000_000, maxText: null };
    const sized = (size: number) => refusal({ name: "a.wav", type: "audio/wav", size }, limits);
    expect(sized(4_990_000)).toBeNull();
    expect(sized(4_999_999)).toContain("too large");
    expect(sized(6_500_000)).toContain("6.5 MB. This service accepts at most 5.0 MB");
  });
});
