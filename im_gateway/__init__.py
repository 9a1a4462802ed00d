"""The gateway: sockets, the HTTP edge, token checks, rate limits, per-connection buffers and local fan-out.

It owns what is per connection and decides nothing about messages: business rules and SQL live behind the streams to
logic. Rooms: `transport` (the public port), `codec` (frames and bytes), `connections` (a socket's state and queue),
`sessions` (Hello to close), `delivery` (what others send), `limits`, `auth`, `http` (the API).
"""
