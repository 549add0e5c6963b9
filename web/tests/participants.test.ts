import { describe, expect, test } from "vitest";
import { type Participant, rolesOf, voiceAssistant } from "../src/core/participants.ts";

function participant(identity: string, attributes: Record<string, string> = {}, agent = true): Participant {
  return { identity, agent, attributes };
}

const WORKER = participant("agent-AJ_1");
const AVATAR = participant("avatar-mia", {
  "lk.publish_on_behalf": "agent-AJ_1",
  "mouthpiece.avatar": '{"version":1}',
});
const SENDER = participant("external-audio-sender-1-a", { "lk.publish_on_behalf": "external-audio-sender-1-a" });
const VIEWER = participant("viewer-1", {}, false);

describe("the rule of components-js", () => {
  test.each([
    [[VIEWER, WORKER, AVATAR, SENDER]],
    [[SENDER, AVATAR, WORKER, VIEWER]],
    [[AVATAR, SENDER, VIEWER, WORKER]],
  ])("finds agent and avatar, and takes the sender for neither, in any order", (participants) => {
    expect(voiceAssistant(participants)).toEqual({ agent: "agent-AJ_1", avatar: "avatar-mia" });
  });

  test("takes a sender without lk.publish_on_behalf for the agent, which is why ours sets it", () => {
    expect(voiceAssistant([participant("external-audio-sender-1-a"), WORKER, AVATAR]).avatar).toBeNull();
  });
});

describe("the page", () => {
  test("prefers the avatar that the service named", () => {
    const other = participant("avatar-noah", { "lk.publish_on_behalf": "agent-AJ_1" });
    expect(rolesOf([WORKER, AVATAR, other], "avatar-noah").avatar).toBe("avatar-noah");
    expect(rolesOf([WORKER, AVATAR, other], null).avatar).toBe("avatar-mia");
  });

  test("finds the agent alone while there is no avatar", () => {
    expect(rolesOf([WORKER, SENDER, VIEWER], "avatar-mia")).toEqual({ agent: "agent-AJ_1", avatar: null });
  });

  test("never takes the sender for the avatar, even if it is named", () => {
    expect(rolesOf([SENDER], SENDER.identity)).toEqual({ agent: null, avatar: null });
    expect(rolesOf([participant("external-audio-sender-1-a")], null)).toEqual({ agent: null, avatar: null });
  });

  test.each([
    ["our attribute", participant("anyone", { "mouthpiece.avatar": "{}" })],
    ["the identity's prefix", participant("avatar-x")],
    [
      "publishing on behalf of an agent that has left",
      participant("simli-avatar-agent", { "lk.publish_on_behalf": "agent-gone" }),
    ],
  ])("recognises an avatar without its agent by %s", (_, avatar) => {
    expect(rolesOf([avatar, SENDER, VIEWER], null)).toEqual({ agent: null, avatar: avatar.identity });
  });

  test("does not take a viewer for an avatar by its identity", () => {
    expect(rolesOf([participant("avatar-mia", {}, false)], "avatar-mia").avatar).toBeNull();
  });
});
