"""The local avatar: start-avatar over HTTP, a face that speaks in the room; no key, no GPU."""
