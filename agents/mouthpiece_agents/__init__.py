"""The LiveKit Agents worker: one job, one room, one AgentSession that starts the avatar there."""
