"""Anam's audio passthrough: a target that needs neither a LiveKit room nor the worker.

::

    Sound ─ mono, 16–48 kHz, 500 ms ─▶ AnamSession ─ signalling WebSocket ─▶ Anam's engine
                                            ▲                                    │
              Viewer, Recorder ◀─ frames ───┴────────────── WebRTC ──────────────┘

``settings`` · ``passthrough`` the audio format · ``sdk`` the adapter to Anam's SDK · ``session`` one session ·
``transport`` carries out the ledger's commands through a session · ``room`` opens and closes sessions · ``target`` the
gateway's way in · ``frames`` the protocol for picture and sound, which ``recorder`` (with ``recording``) and ``viewer``
(with ``window``, its process) implement.
"""
