"""Takes segments from the byte streams of a room, for an avatar or a relay that plays them.

::

    room ──header, chunks──▶ StreamReceiver ──open · push · end · abort──▶ StreamSink
                               │      ▲                                    (StreamQueue is one)
                     what came ▼      │ admitted, held, refused
                             Admission

``Admission`` decides who is heard, ``StreamQueue`` whose turn it is; neither does any I/O. ``StreamReceiver`` reads the
streams of LiveKit's SDK.
"""
