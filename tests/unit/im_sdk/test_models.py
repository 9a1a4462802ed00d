import pytest
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

from im_proto.v1 import account_pb2, conversation_pb2, message_pb2
from im_sdk import _models as models


@pytest.mark.parametrize(
    ("mine", "wire"),
    [
        (models.UserKind, account_pb2.UserKind),
        (models.DeviceClass, account_pb2.DeviceClass),
        (models.ConversationKind, conversation_pb2.ConversationKind),
        (models.Role, conversation_pb2.MemberRole),
        (models.Membership, conversation_pb2.MemberState),
        (models.MessageKind, message_pb2.MessageType),
    ],
)
def test_the_enums_are_the_contracts(mine: type, wire: EnumTypeWrapper) -> None:
    known = {int(value): value.name for value in mine if value}  # type: ignore[attr-defined]
    assert {number: name for name, number in wire.items() if number} == {
        number: next(key for key, _ in wire.items() if key.endswith(f"_{name}")) for number, name in known.items()
    }


def test_the_kinds_of_notices_are_the_contracts() -> None:
    changes = {each.name for each in message_pb2.Notice.DESCRIPTOR.oneofs_by_name["change"].fields}
    assert {kind.value for kind in models.NoticeKind} - {"unknown"} == changes
