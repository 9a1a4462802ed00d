"""A connection's state, its bounded outbound queue, the flush once per loop turn, and its deadlines."""
