"""``mouthpiece demo``: everything on one machine, from nothing, and its check by ear and eye.

``command.run`` is what the command line calls; ``parts`` says which processes run and how; ``supervisor`` starts,
watches and stops them; ``service`` talks to the sender; ``viewer`` joins a room and keeps what it hears and sees;
``check`` judges that; ``toolchain`` finds Go and Node.js or gets them as wheels, and ``page`` builds the page.
"""
