"""``python -m mouthpiece_agents``; see :mod:`mouthpiece_agents.worker`."""

import signal

if __name__ == "__main__":
    # the imports below take seconds: until `block`, a Ctrl-C ends the process without a traceback; after it, the signal
    # stays pending until `signals.watch` takes it
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    import sys

    from mouthpiece.extras import imports
    from mouthpiece_agents import signals

    signals.block()

    with imports("The worker", "agents"):
        from mouthpiece_agents.worker import main

    sys.exit(main())
