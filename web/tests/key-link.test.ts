import { expect, test } from "vitest";
import { keyInFragment } from "../src/core/key-link.ts";

test("the key of a link is found, and the rest of the fragment is kept", () => {
  expect(keyInFragment("#key=one-two")).toEqual({ key: "one-two", rest: "" });
  expect(keyInFragment("#key=a%2Bb&other=1")).toEqual({ key: "a+b", rest: "#other=1" });
});

test("an address without a key, or with an empty one, brings none", () => {
  for (const hash of ["", "#", "#key=", "#key=%20", "#keys=1"]) expect(keyInFragment(hash).key).toBeNull();
});
