"""What is sent next, and what was heard: decisions for one avatar, without I/O.

::

    commands      what goes into a ledger and what comes out of it
    pacing        the schedule of sending
    heard         what is known to have been heard of a segment
    queue         the segments that wait
    flight        one attempt on its way: its state and its playout clock
    receiver      the avatar: what it reports, and how long its reports are waited for
    receipts      which flight a receipt is about, and what it proves
    clearing      what a clear means for each flight
    absence       what became of a flight meanwhile, by the avatar's status
    at_most_once  what may be sent again after an attempt that ended early
    restored      a segment that an earlier process left behind
    ends          how a segment ends, by what was heard of it
    in_flight     the flights, how each ends, and what becomes of its segment then
    ledger        the inputs, and the decisions that need all of the above
"""
