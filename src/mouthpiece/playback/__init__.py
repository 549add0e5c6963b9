"""What is sent next, and what was heard: decisions for one avatar, without I/O.

::

    commands   what goes into a ledger and what comes out of it
    pacing     the schedule of sending
    heard      what is known to have been heard of a segment
    queue      the segments that wait
    flight     one attempt on its way: its state and its playout clock
    ledger     the decisions
"""
