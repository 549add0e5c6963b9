"""The LiveKit Agents worker: one job, one room, one AgentSession that starts the avatar there.

``python -m mouthpiece_agents`` runs it (:mod:`mouthpiece_agents.worker`). What a job is told by its metadata is in
:mod:`mouthpiece.dispatch`; a worker of one's own takes :class:`mouthpiece_agents.avatar_participant.AvatarSession`.
"""
