import { expect, test } from "vitest";
import { backoff } from "../src/core/backoff.ts";

test("what was cut is opened again at once, and each failure waits twice as long, up to ten seconds", () => {
  expect([0, 1, 2, 3, 4, 5, 50].map(backoff)).toEqual([250, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
});
