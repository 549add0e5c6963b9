import { expect, test } from "vitest";
import { StallDetector } from "../src/core/stall.ts";

test("a picture stands still after two seconds without a new frame", () => {
  const detector = new StallDetector();
  expect(detector.push(10, 0)).toBe(false);
  expect(detector.push(11, 1_000)).toBe(false);
  expect(detector.push(11, 2_900)).toBe(false);
  expect(detector.push(11, 3_000)).toBe(true);
  expect(detector.push(12, 3_500)).toBe(false);
});

test("a picture that has not begun does not stand still", () => {
  const detector = new StallDetector();
  detector.push(0, 0);
  expect(detector.push(0, 60_000)).toBe(false);
});

test("the time in the background does not count", () => {
  const detector = new StallDetector();
  detector.push(5, 0);
  detector.clear();
  expect(detector.push(5, 60_000)).toBe(false);
  expect(detector.push(5, 62_000)).toBe(true);
});
