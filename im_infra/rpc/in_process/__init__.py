"""A gRPC server and channel without a socket, for services that share a process.

Generated stubs, servicers and our errors work unchanged. Messages are serialised and parsed on the way, so that the two
sides never share one. Unary calls run in the caller's task; a stream's frames, whose items are bytes, are handed over
without a task or a wait, once per turn of the loop. Streams of anything else, and calls that stream in one direction
only, are not offered: nothing between our services uses them.
"""

from im_infra.rpc.in_process.channel import InProcessChannel
from im_infra.rpc.in_process.server import InProcessServer

__all__ = ["InProcessChannel", "InProcessServer"]
