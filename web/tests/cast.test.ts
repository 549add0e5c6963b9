import { describe, expect, test } from "vitest";
import { cast, type Presence, voiceAssistant } from "../src/core/cast.ts";

function one(identity: string, attributes: Record<string, string> = {}, agent = true): Presence {
  return { identity, agent, attributes };
}

const WORKER = one("agent-AJ_1");
const AVATAR = one("avatar-mia", { "lk.publish_on_behalf": "agent-AJ_1", "mouthpiece.avatar": '{"version":1}' });
const SENDER = one("external-audio-sender-1-a", { "lk.publish_on_behalf": "external-audio-sender-1-a" });
const VIEWER = one("viewer-1", {}, false);

describe("the rule of components-js", () => {
  test.each([
    [[VIEWER, WORKER, AVATAR, SENDER]],
    [[SENDER, AVATAR, WORKER, VIEWER]],
    [[AVATAR, SENDER, VIEWER, WORKER]],
  ])("finds worker and avatar and takes the sender for neither, in any order", (participants) => {
    expect(voiceAssistant(participants)).toEqual({ agent: "agent-AJ_1", avatar: "avatar-mia" });
  });

  test("would take a sender that publishes for nobody for the agent: hence its attribute", () => {
    expect(voiceAssistant([one("external-audio-sender-1-a"), WORKER, AVATAR]).avatar).toBeNull();
  });
});

describe("the page", () => {
  test("shows the avatar that the service named", () => {
    const other = one("avatar-noah", { "lk.publish_on_behalf": "agent-AJ_1" });
    expect(cast([WORKER, AVATAR, other], "avatar-noah").avatar).toBe("avatar-noah");
    expect(cast([WORKER, AVATAR, other], null).avatar).toBe("avatar-mia");
  });

  test("waits with the agent alone while there is no avatar", () => {
    expect(cast([WORKER, SENDER, VIEWER], "avatar-mia")).toEqual({ agent: "agent-AJ_1", avatar: null });
  });

  test("never takes the sender for the avatar, whatever it was told", () => {
    expect(cast([SENDER], SENDER.identity)).toEqual({ agent: null, avatar: null });
    expect(cast([one("external-audio-sender-1-a")], null)).toEqual({ agent: null, avatar: null });
  });

  test.each([
    ["our attribute", one("anyone", { "mouthpiece.avatar": "{}" })],
    ["the identity's prefix", one("avatar-x")],
    ["an agent that has left", one("simli-avatar-agent", { "lk.publish_on_behalf": "agent-gone" })],
  ])("knows an avatar without its agent by %s", (_, avatar) => {
    expect(cast([avatar, SENDER, VIEWER], null)).toEqual({ agent: null, avatar: avatar.identity });
  });

  test("does not believe a person who calls themselves an avatar", () => {
    expect(cast([one("avatar-mia", {}, false)], "avatar-mia").avatar).toBeNull();
  });
});
