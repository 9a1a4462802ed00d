"""A proposal whose decision the test makes."""

import uuid

from im_infra.error_table import Reason
from im_infra.errors import ImError
from im_logic.asker import Asker, Origin
from im_logic.conversations.conversation import Conversation
from im_proto.repo.v1.stream_pb2 import AppendResult, RepoRequest


class Entry:
    """A `Proposal`, allowed unless it has a refusal."""

    def __init__(
        self,
        user_id: int,
        number: int,
        *,
        conversation_id: int = 5,
        refusal: Reason | None = None,
        look_up: bool = False,
    ) -> None:
        self.asker = Asker(user_id, 2, Origin("gw", "b1", 1))
        self.conversation_id = conversation_id
        self.client_id = uuid.UUID(int=number).bytes
        self.client_text = str(uuid.UUID(int=number))
        self.digest = b"d" * 16
        self.look_up = look_up
        self.order = 0
        self.arrived_at = 0.0
        self.sent_back = 0
        self.restarted = 0
        self.answers: list[AppendResult | ImError] = []
        self._refusal = refusal

    @property
    def count(self) -> int:
        """How often it was answered."""
        return len(self.answers)

    @property
    def result(self) -> AppendResult:
        """Its one answer, which is no error."""
        (answer,) = self.answers
        assert isinstance(answer, AppendResult), answer
        return answer

    @property
    def error(self) -> ImError:
        """Its one answer, which is an error."""
        (answer,) = self.answers
        assert isinstance(answer, ImError), answer
        return answer

    def word(self, conversation: Conversation, request: RepoRequest) -> None:
        """Allow or refuse."""
        if self._refusal is not None:
            raise ImError(self._refusal)
        request.append.type = 1

    def stored(self, result: AppendResult) -> None:
        """Keep the answer."""
        self.answers.append(result)

    def failed(self, error: ImError) -> None:
        """Keep the answer."""
        self.answers.append(error)
