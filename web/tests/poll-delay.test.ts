import { expect, test } from "vitest";
import { pollDelay } from "../src/core/poll-delay.ts";

test("polls often while a segment is live, less in the background, and less after each failure", () => {
  const delays = [
    pollDelay({ live: true, hidden: false, failures: 0 }),
    pollDelay({ live: false, hidden: false, failures: 0 }),
    pollDelay({ live: true, hidden: true, failures: 0 }),
    pollDelay({ live: false, hidden: true, failures: 0 }),
  ];
  expect(delays).toEqual([1_000, 4_000, 5_000, 15_000]);
  const failing = [1, 2, 3, 4, 5, 9].map((failures) => pollDelay({ live: true, hidden: false, failures }));
  expect(failing).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
});
