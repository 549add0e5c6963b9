import { expect, test } from "vitest";
import { NO_LIMITS, textRefusal } from "../src/core/limits.ts";

test("a text is refused above the limit, counted in characters", () => {
  const limits = { maxUpload: null, maxText: 3 };
  expect(textRefusal("👋👋👋", limits)).toBeNull();
  expect(textRefusal("abcd", limits)).toContain("4 characters. This service accepts at most 3");
});

test("without a known limit the service decides", () => {
  expect(textRefusal("x".repeat(1_000_000), NO_LIMITS)).toBeNull();
});
