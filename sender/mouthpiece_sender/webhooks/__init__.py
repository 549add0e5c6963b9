"""Sends events to webhooks: at least once, in order for each segment, without speech or another receiver waiting.

``routing`` and ``backoff`` decide, ``sending`` sends one delivery, ``dispatch`` keeps sending what is due.
"""
