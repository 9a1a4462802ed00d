"""The rules of a stream, sans-I/O.

    ClientEnd = Asking + Hearing      requests out, answers in, pushes heard and acknowledged
    ServerEnd = Answering + Pushing   requests in, answers and credit out, pushes numbered

Frames and the time come in as arguments; frames and what they mean for whom go out as values. Nothing here awaits,
calls back or reads a clock, so that every interleaving can be tested.
"""
