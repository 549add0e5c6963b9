"""``python -m mouthpiece_avatar``; see :mod:`mouthpiece_avatar.server`."""

import signal

if __name__ == "__main__":
    # the imports take a second: a Ctrl-C among them ends it without a traceback
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    import sys

    from mouthpiece.extras import imports

    with imports("The avatar server", "avatar"):
        from mouthpiece_avatar.server import main

    sys.exit(main())
