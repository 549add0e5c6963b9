"""Whether an avatar's audio track bears out that a sound was heard. No I/O, no clock.

``envelope`` makes envelopes of what was sent and of what came back, ``comparison`` lays one over the other, ``verdict``
decides, and ``borne_out`` says what a verdict makes of the ledger's report.
"""
