"""The sender's HTTP API, as docs/api.md describes it.

Each resource has its file: ``segments``, ``rooms``, ``voices``, ``health``; ``bodies`` holds the kinds of request body,
``metadata`` what a caller attaches, ``idempotency`` what makes a request that is sent twice one segment. ``app``
assembles the application; ``host_policy`` and ``callers`` decide who may call, ``problems`` renders errors, ``models``
and ``requests`` describe what goes out and comes in, ``openapi`` writes the document, ``docs_page`` and ``page`` serve
the two pages, ``drain`` lets an early response arrive.
"""
