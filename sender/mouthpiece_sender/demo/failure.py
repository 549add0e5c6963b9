"""What ends the demo before its time."""


class DemoFailed(Exception):
    """The demo cannot go on; the message is for a person and says why."""
