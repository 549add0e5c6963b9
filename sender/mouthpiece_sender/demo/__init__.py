"""``mouthpiece demo``: everything on one machine, and a check of the sound and picture that a viewer receives.

``command.run`` is the command; ``processes`` defines the processes that run; ``supervisor`` starts, watches and stops
them; ``service`` calls the sender's API; ``viewer`` joins a room and records what it receives; ``check`` compares that
with the file that was spoken; ``livekit_server`` finds or builds the server, ``toolchain`` finds Go and Node.js or
installs their wheels, and ``page`` builds the page.
"""
