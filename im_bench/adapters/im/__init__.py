"""Our gateway: the client protocol, `im.v1.protobuf`, as lean as it can be spoken."""
