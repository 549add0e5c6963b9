"""``python -m mouthpiece_avatar``: the server, see :mod:`mouthpiece_avatar.server`.

``… mouth`` prints what the lips do, ``… render`` makes a film, ``… sheet`` a picture of all shapes of a face.
"""

import signal

if __name__ == "__main__":
    # the imports take a second: a Ctrl-C among them ends it without a traceback
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    import sys

    from mouthpiece.extras import imports
    from mouthpiece.process.signals import hold

    if sys.argv[1:2] == ["mouth"]:
        from mouthpiece_avatar.mouth_command import main as print_mouths

        sys.exit(print_mouths(sys.argv[2:]))

    if sys.argv[1:2] == ["render"]:
        with imports("A film of a face", "film"):
            from mouthpiece_avatar.film.render_command import main as render
        sys.exit(render(sys.argv[2:]))

    if sys.argv[1:2] == ["sheet"]:
        with imports("A sheet of a face", "avatar"):
            from mouthpiece_avatar.film.sheet_command import main as draw_sheet
        sys.exit(draw_sheet(sys.argv[2:]))

    hold(signal.SIGTERM)  # stops it once its loop runs
    with imports("The avatar server", "avatar"):
        from mouthpiece_avatar.server import main

    sys.exit(main())
