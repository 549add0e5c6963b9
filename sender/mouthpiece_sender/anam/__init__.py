"""Anam's audio passthrough: a target beside the LiveKit room, which needs neither LiveKit nor the worker.

::

    Sound ─ mono, 16–48 kHz, 500 ms ─▶ AnamSession ─ signalling WebSocket ─▶ Anam's engine
                                            ▲                                    │
              Viewer, Recorder ◀─ frames ───┴────────────── WebRTC ──────────────┘

``settings`` what it is told · ``passthrough`` the sound's form · ``sdk`` the seam to Anam's own SDK · ``session`` one
session · ``room`` what carries out the ledger's decisions through sessions · ``target`` how the gateway comes to it ·
``frames`` what takes picture and sound: ``recorder``, ``viewer`` (the window's process is ``window``).
"""
