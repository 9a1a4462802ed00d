"""Protobuf's wire format, as far as frames are put together from bytes: rules only.

Serialised protobuf messages concatenate: a field put in front of a message's bytes belongs to that message.
"""

_ONE_BYTE = tuple(bytes((value,)) for value in range(128))


def varint(value: int) -> bytes:
    """`value` (not negative) as a varint."""
    if value < 128:
        return _ONE_BYTE[value]
    if value < 16_384:
        return bytes((value & 0x7F | 0x80, value >> 7))
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def delimited(field: int, content: bytes) -> bytes:
    """A length-delimited field: a string, bytes or a message.

    Args:
        field: 1 to 15, the numbers with a tag of one byte.
        content: its bytes.
    """
    return _ONE_BYTE[field << 3 | 2] + varint(len(content)) + content
