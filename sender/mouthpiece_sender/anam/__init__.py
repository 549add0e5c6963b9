"""Anam's audio passthrough: a target beside the LiveKit room, which needs neither LiveKit nor the worker.

::

    Sound ─ mono, 16–48 kHz, 500 ms ─▶ AnamSession ─ signalling WebSocket ─▶ Anam's engine
                                            ▲                                    │
              Viewer, Recorder ◀─ frames ───┴────────────── WebRTC ──────────────┘

``settings`` what it is told · ``passthrough`` the sound's form and when it has played, by the clock · ``sdk`` the seam
to Anam's own SDK · ``session`` one session · ``target`` segments over a session · ``frames`` what takes picture and
sound: ``recorder``, ``viewer`` (the window's process is ``window``).
"""
