"""Which methods are told; how, is the contract's."""

from typing import Any

from im_infra.rpc.unary import unary_errors


def test_only_the_calls_of_a_servicer_are_wrapped() -> None:
    class Servicer:
        async def GetUser(self, request: object, context: Any) -> None:  # noqa: N802 - gRPC's name
            """Find a user."""

        async def helper(self) -> None:
            pass

        CONSTANT = 1

    get_user, helper = Servicer.GetUser, Servicer.helper
    told = unary_errors(Servicer)
    assert told is Servicer
    assert told.GetUser is not get_user
    assert told.GetUser.__doc__ == "Find a user."
    assert told.helper is helper
