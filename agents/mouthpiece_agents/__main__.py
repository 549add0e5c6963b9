"""``python -m mouthpiece_agents``; see :mod:`mouthpiece_agents.worker`."""

import signal

if __name__ == "__main__":
    # the imports take seconds: a Ctrl-C ends the first few hundredths of one without a traceback, and is then kept
    # until somebody waits for it
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    import sys

    from mouthpiece_agents import signals

    signals.block()

    from mouthpiece_agents.worker import main

    sys.exit(main())
