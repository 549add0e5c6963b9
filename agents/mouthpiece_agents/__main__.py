"""``python -m mouthpiece_agents``; see :mod:`mouthpiece_agents.worker`."""

from mouthpiece_agents import signals

if __name__ == "__main__":
    signals.block()  # the imports below take seconds: a signal meanwhile is kept until somebody waits for it

    import sys

    from mouthpiece_agents.worker import main

    sys.exit(main())
