"""Finding or making the private conversation with somebody."""

from im_infra import error_table
from im_infra.errors import ImError
from im_logic.asker import Asker
from im_logic.delivery.delivery import Delivery
from im_logic.messaging.rules import UserKind
from im_logic.repo_calls import RepoCalls
from im_proto.v1.conversation_pb2 import OpenDirectRequest, OpenDirectResponse
from im_proto.v1.frame_pb2 import ServerFrame
from im_proto.v1.session_pb2 import Check


class OpenDirect:
    """Opens private conversations. Guests open none: they answer who writes to them.

    Args:
        calls: repo.
        delivery: tells the other side's devices, and the caller's other ones.
    """

    def __init__(self, *, calls: RepoCalls, delivery: Delivery) -> None:
        self._calls = calls
        self._delivery = delivery

    async def open(self, asker: Asker, request: OpenDirectRequest) -> OpenDirectResponse:
        """The conversation with a user; with oneself: the note to self.

        Raises:
            ImError: PERMISSION_DENIED for guests, USER_NOT_FOUND.
        """
        if asker.user_kind == UserKind.GUEST:
            raise ImError(error_table.PERMISSION_DENIED, "guests open no private chats")
        if request.user_id != asker.user_id and (
            request.user_id < 1 or not await self._calls.get_users([request.user_id])
        ):
            raise ImError(error_table.USER_NOT_FOUND)
        opened = await self._calls.open_direct(asker.user_id, request.user_id)
        if opened.created:
            check = Check(account=True, conversation_ids=[opened.conversation_id])
            self._delivery.deliver_to_users(
                sorted({asker.user_id, request.user_id}),
                ServerFrame(check=check).SerializeToString(),
                skip=asker.origin,
            )
        head = await self._calls.read_head(asker.user_id, opened.conversation_id)
        return OpenDirectResponse(head=head, created=opened.created)
