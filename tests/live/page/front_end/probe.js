// Joins with ?url=…&token=… and writes into window.found what components-js' useVoiceAssistant returns.
import { LiveKitRoom, RoomAudioRenderer, useVoiceAssistant, VideoTrack } from "@livekit/components-react";
import { createElement } from "react";
import { createRoot } from "react-dom/client";

function Found() {
  const { agent, audioTrack, videoTrack } = useVoiceAssistant();
  window.found = {
    agent: agent?.identity ?? null,
    audio: audioTrack?.participant.identity ?? null,
    video: videoTrack?.participant.identity ?? null,
  };
  return videoTrack ? createElement(VideoTrack, { trackRef: videoTrack }) : null;
}

const about = new URLSearchParams(location.search);
const room = { serverUrl: about.get("url"), token: about.get("token"), connect: true };
createRoot(document.body).render(
  createElement(LiveKitRoom, room, createElement(Found), createElement(RoomAudioRenderer)),
);
