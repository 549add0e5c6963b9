import { expect, test } from "vitest";
import { rootMeanSquare, VoiceActivity } from "../src/core/activity.ts";

test("a pause between words is part of the speech, a longer one ends it", () => {
  const activity = new VoiceActivity();
  expect(activity.push(0, 0)).toBe(false);
  expect(activity.push(0.1, 50)).toBe(true);
  expect(activity.push(0, 300)).toBe(true);
  expect(activity.push(0, 600)).toBe(false);
});

test("coding noise is no speech", () => {
  expect(new VoiceActivity().push(0.001, 0)).toBe(false);
});

test("clear() ends the speech", () => {
  const activity = new VoiceActivity();
  activity.push(0.1, 0);
  activity.clear();
  expect(activity.push(0, 1)).toBe(false);
});

test("loudness is the root of the mean square", () => {
  expect(rootMeanSquare(new Float32Array([0.5, -0.5, 0.5, -0.5]))).toBe(0.5);
  expect(rootMeanSquare(new Float32Array())).toBe(0);
});
