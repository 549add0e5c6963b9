import { describe, expect, test } from "vitest";
import { labels, placeOf, type Voice } from "../src/core/voices.ts";

const heart: Voice = { id: "heart", name: "Heart", provider: "offline" };
const french: Voice = { id: "fr", name: "Français", provider: "espeak" };
const other: Voice = { id: "heart", name: "Heart", provider: "acme" };

describe("the voices to choose from", () => {
  test("are shown by their name, or their id where they have none", () => {
    expect(labels([heart, french, { id: "x" }, { id: "y", name: "" }])).toEqual(["Heart", "Français", "x", "y"]);
  });

  test("are told apart by who gives them where two have one name", () => {
    expect(labels([heart, french, other])).toEqual(["Heart (offline)", "Français", "Heart (acme)"]);
  });

  test("are found again by id and provider in another list", () => {
    expect(placeOf([heart, french, other], other)).toBe(2);
    expect(placeOf([heart, french], other)).toBe(-1);
    expect(placeOf([heart], undefined)).toBe(-1);
  });
});
