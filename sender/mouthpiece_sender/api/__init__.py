"""The HTTP API of the sender, as docs/api.md describes it.

``app`` puts it together; ``guard`` says who may call, ``problems`` what an error looks like, ``models`` what answers
look like; ``segments``, ``rooms`` and ``health`` hold the calls, ``bodies`` the kinds of body that can be spoken;
``linger`` lets early answers arrive; ``page`` serves the page and ``reference`` the documentation.
"""
