import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { TtsVoice } from "../src/core/tts-voices.ts";
import type { Api } from "../src/io/api.ts";
import { VoiceList } from "../src/io/voice-list.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A list over a service that gives `answers` one after another, the last one again and again. */
function over(...answers: readonly (readonly TtsVoice[] | Error)[]) {
  const voices = vi.fn(async () => {
    const answer = answers[Math.min(voices.mock.calls.length, answers.length) - 1];
    if (answer instanceof Error || answer === undefined) throw answer;
    return answer;
  });
  const loaded: (readonly TtsVoice[])[] = [];
  return { list: new VoiceList({ voices } as unknown as Api, (list) => loaded.push(list)), voices, loaded };
}

const HEART: readonly TtsVoice[] = [{ id: "heart" }];

test("a failed list is asked for again, less and less often, until it is there", async () => {
  const { list, voices, loaded } = over(new Error(), new Error(), HEART);
  list.start();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(voices).toHaveBeenCalledTimes(2);
  expect(loaded).toEqual([]);
  await vi.advanceTimersByTimeAsync(4_000);
  expect(loaded).toEqual([HEART]);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(voices).toHaveBeenCalledTimes(3);
});

test("an empty list may be one whose provider has failed, and is asked for again", async () => {
  const { list, loaded } = over([], HEART);
  list.start();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(loaded).toEqual([[], HEART]);
});

test("nothing is asked for or reported after stop()", async () => {
  const { list, voices, loaded } = over(HEART);
  list.start();
  list.stop();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(loaded).toEqual([]);
  expect(voices).toHaveBeenCalledTimes(1);
});
