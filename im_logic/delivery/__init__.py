"""From a committed entry to the gateways: small fan-out, the hand-over of large ones to the bus, and confirmations.

It never decides who may write, and stores nothing: what it loses, the outbox in repo brings back.
"""
