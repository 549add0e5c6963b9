import { describe, expect, test } from "vitest";
import { indexOfVoice, type TtsVoice, voiceLabels } from "../src/core/tts-voices.ts";

const heart: TtsVoice = { id: "heart", name: "Heart", provider: "offline" };
const french: TtsVoice = { id: "fr", name: "Français", provider: "espeak" };
const other: TtsVoice = { id: "heart", name: "Heart", provider: "acme" };

describe("voices in a list", () => {
  test("carry their name, or their id where they have none", () => {
    expect(voiceLabels([heart, french, { id: "x" }, { id: "y", name: "" }])).toEqual(["Heart", "Français", "x", "y"]);
  });

  test("carry their provider too where two have the same name", () => {
    expect(voiceLabels([heart, french, other])).toEqual(["Heart (offline)", "Français", "Heart (acme)"]);
  });

  test("are found by id and provider in another list", () => {
    expect(indexOfVoice([heart, french, other], other)).toBe(2);
    expect(indexOfVoice([heart, french], other)).toBe(-1);
    expect(indexOfVoice([heart], undefined)).toBe(-1);
  });
});
