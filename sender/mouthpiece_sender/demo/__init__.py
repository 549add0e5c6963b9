"""``mouthpiece demo``: everything on one machine, from nothing, and its check by ear and eye.

``command`` is what the command line calls; ``parts`` says which processes run and how; ``supervisor`` starts, watches
and stops them; ``viewer`` joins a room and measures what it sees and hears; ``check`` judges that; ``toolchain`` finds
Go and Node.js or gets them as wheels, and ``page`` builds the page with the latter.
"""
