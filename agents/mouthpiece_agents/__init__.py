"""The LiveKit Agents worker: one job, one room, one AgentSession that starts the avatar there.

``python -m mouthpiece_agents`` runs it (:mod:`mouthpiece_agents.worker`). :mod:`mouthpiece.dispatch` defines the
metadata of a job. A worker of your own uses :class:`mouthpiece_agents.avatar_session.AvatarSession`.
"""
