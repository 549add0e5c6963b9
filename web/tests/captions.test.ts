import { expect, test } from "vitest";
import { type Caption, visible, withCaption } from "../src/core/captions.ts";

function caption(id: string, text: string, at: number, done = true): Caption {
  return { id, text, done, at };
}

test("a later text of the same segment takes the place of the earlier one", () => {
  const lines = [caption("a", "Hel", 0, false), caption("a", "Hello", 10)].reduce(
    withCaption,
    [] as readonly Caption[],
  );
  expect(lines).toEqual([caption("a", "Hello", 10)]);
});

test("two lines at most", () => {
  const lines = [caption("a", "1", 0), caption("b", "2", 1), caption("c", "3", 2)].reduce(
    withCaption,
    [] as readonly Caption[],
  );
  expect(lines.map(({ id }) => id)).toEqual(["b", "c"]);
});

test("a finished line stays long enough to be read, an open one until it is abandoned", () => {
  const short = caption("a", "Hi.", 0);
  const long = caption("b", "A much longer line, which takes a while to read.", 0);
  const open = caption("c", "And", 0, false);
  const seenAt = (now: number) => visible([short, long, open], now).map(({ id }) => id);
  expect(seenAt(1_000)).toEqual(["a", "b", "c"]);
  expect(seenAt(4_000)).toEqual(["b", "c"]);
  expect(seenAt(10_000)).toEqual(["c"]);
  expect(seenAt(30_000)).toEqual([]);
});

test("an empty line is none", () => {
  expect(visible([caption("a", "  ", 0)], 0)).toEqual([]);
});
