"""The error that ends the demo."""


class DemoFailed(Exception):
    """The demo cannot go on. The message gives the reason, for a person."""
