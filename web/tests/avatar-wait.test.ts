import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { initial, Store } from "../src/core/phase.ts";
import { watchForAvatar } from "../src/io/avatar-wait.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test("an avatar that does not come is overdue, then missing; the time starts again when it leaves", () => {
  const store = new Store(initial("demo"));
  watchForAvatar(store);
  store.dispatch({ kind: "join" });
  vi.advanceTimersByTime(100_000);
  expect(store.state.wait).toBeNull();
  store.dispatch({ kind: "connected" });
  vi.advanceTimersByTime(15_000);
  expect(store.state.wait).toBe("overdue");
  vi.advanceTimersByTime(45_000);
  expect(store.state.wait).toBe("missing");
  store.dispatch({ kind: "avatar", identity: "avatar-mia" });
  store.dispatch({ kind: "avatar", identity: null });
  vi.advanceTimersByTime(59_000);
  expect(store.state.wait).toBe("overdue");
  vi.advanceTimersByTime(1_000);
  expect(store.state.wait).toBe("missing");
});
