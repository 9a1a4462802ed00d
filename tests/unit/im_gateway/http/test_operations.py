"""The table of routes says what exists."""

import pytest

from im_gateway.http.operations import OPERATIONS, Access, Operation, Via
from im_proto.logic.v1 import account_pb2
from im_proto.v1.frame_pb2 import ClientFrame, ServerFrame

IDS = [f"{operation.method} {operation.path}" for operation in OPERATIONS]


def test_no_route_is_there_twice() -> None:
    assert len(set(IDS)) == len(IDS)
    assert len({operation.target for operation in OPERATIONS}) == len(OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS, ids=IDS)
def test_its_target_takes_and_answers_these_messages(operation: Operation) -> None:
    if operation.via is Via.COMMAND:
        fields = ClientFrame.DESCRIPTOR.fields_by_name
        assert fields[operation.target].message_type is operation.request.DESCRIPTOR
        answer = ServerFrame.DESCRIPTOR.fields_by_name[operation.target]
        assert answer.message_type is operation.response.DESCRIPTOR
    else:
        method = account_pb2.DESCRIPTOR.services_by_name["AccountService"].methods_by_name[operation.target]
        assert method.input_type.fields_by_name["request"].message_type is operation.request.DESCRIPTOR
        assert method.output_type is operation.response.DESCRIPTOR
        who = "address" if operation.access is Access.ANYBODY else "caller"
        assert who in method.input_type.fields_by_name


@pytest.mark.parametrize("operation", OPERATIONS, ids=IDS)
def test_its_path_query_and_key_name_fields(operation: Operation) -> None:
    fields = operation.request.DESCRIPTOR.fields_by_name
    for name in operation.path_fields:
        assert f"{{{name}}}" in operation.path
        assert name in fields or f"{name}s" in fields
    assert operation.path.count("{") == len(operation.path_fields)
    assert all(name in fields for _, name in operation.query_fields)
    assert not operation.once or operation.once in fields


def test_whatever_can_be_done_once_takes_an_idempotency_key() -> None:
    for operation in OPERATIONS:
        names = operation.request.DESCRIPTOR.fields_by_name
        assert operation.once or not {"operation_id", "client_message_id"} & set(names), operation.path
