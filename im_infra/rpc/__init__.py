"""Calls between services: one long-lived stream per pair of processes for what is hot, unary calls for the rest.

    core/           the stream's rules, sans-I/O: numbering, credit, gathering, acknowledgements, deadlines
    stream_client   asks over one stream to one peer, and hears what the peer pushes
    stream_server   answers requests and pushes, over every accepted stream
    pool            streams to all living peers of a service
    channels        network and in-process channels by address
    in_process      a server and a channel without a socket, for services that share a process
    unary, status   unary calls: errors on the wire and back
    retry           the one way to try again

It knows no service: bodies are opaque bytes.
"""
