"""The contract's enum values that the rules of this room speak of: plain numbers, so that rules need no protobuf.

A test compares them with the contract.
"""

from typing import Final

KIND_DIRECT: Final = 1
KIND_GROUP: Final = 2
KIND_WORLD: Final = 3

STATUS_OPEN: Final = 1
STATUS_DISSOLVED: Final = 2

ROLE_MEMBER: Final = 1
ROLE_ADMIN: Final = 2
ROLE_OWNER: Final = 3

STATE_IN: Final = 1
STATE_LEFT: Final = 2
STATE_REMOVED: Final = 3
STATE_BANNED: Final = 4

TYPE_NOTICE: Final = 3
TYPE_EDIT: Final = 4
TYPE_RECALL: Final = 5

FANOUT_SMALL: Final = 1
FANOUT_LARGE: Final = 2

FLAG_RECALLED: Final = 1
FLAG_PURGED: Final = 2
FLAG_COUNTABLE: Final = 4
