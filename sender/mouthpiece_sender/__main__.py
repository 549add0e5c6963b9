"""``python -m mouthpiece_sender``: the same as ``mouthpiece``."""

from mouthpiece_sender.cli import main

if __name__ == "__main__":
    main()
