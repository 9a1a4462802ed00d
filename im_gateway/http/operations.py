"""Every route of the API: one table, from which the application, its OpenAPI and the permission tests are made."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from google.protobuf.message import Message

from im_proto.v1 import account_pb2, conversation_pb2, message_pb2, read_pb2, sync_pb2


class Access(Enum):
    """Who may call."""

    ANYBODY = "anybody"
    """A way in: limited per address."""
    SESSION = "session"
    """Whoever has an access token of a session that stands."""


class Via(Enum):
    """How logic is asked."""

    COMMAND = "command"
    """As a ClientFrame over the stream: the very operation of the socket."""
    ACCOUNT = "account"
    """AccountService."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One route."""

    method: str
    path: str
    summary: str
    tag: str
    target: str
    """The field of ClientFrame, or the RPC of AccountService."""
    request: type[Message]
    response: type[Message]
    via: Via = Via.COMMAND
    access: Access = Access.SESSION
    path_fields: tuple[str, ...] = ()
    """Fields of the request that stand in the path."""
    query_fields: tuple[tuple[str, str], ...] = ()
    """Query parameters with the request's field each fills."""
    once: str = ""
    """The request's field that Idempotency-Key fills."""
    example: dict[str, object] = field(default_factory=dict)

    @property
    def has_body(self) -> bool:
        """Whether fields are left for a JSON body."""
        taken = {*self.path_fields, *(name for _, name in self.query_fields), self.once}
        return self.method in {"POST", "PUT", "PATCH"} and any(
            each.name not in taken for each in self.request.DESCRIPTOR.fields
        )


_PAGE: Final = (("page_size", "page_size"), ("page_token", "page_token"))
_CONVERSATION: Final = "/conversations/{conversation_id}"
_MESSAGE: Final = f"{_CONVERSATION}/messages/{{seq}}"
_GROUP: Final = "/groups/{conversation_id}"
_ACCOUNTS: Final = "accounts"
_CONVERSATIONS: Final = "conversations"
_MESSAGES: Final = "messages"
_GROUPS: Final = "groups"
_INSTALLATION: Final = {"device_id": "my-laptop-01", "device_class": "DEVICE_CLASS_DESKTOP", "device_name": "curl"}


def _way_in(
    path: str, summary: str, rpc: str, request: type[Message], response: type[Message], **more: object
) -> Operation:
    return Operation(
        "POST",
        path,
        summary,
        _ACCOUNTS,
        rpc,
        request,
        response,
        via=Via.ACCOUNT,
        access=Access.ANYBODY,
        **more,  # type: ignore[arg-type]
    )


def _account(
    method: str, path: str, summary: str, rpc: str, request: type[Message], response: type[Message], **more: object
) -> Operation:
    return Operation(method, path, summary, _ACCOUNTS, rpc, request, response, via=Via.ACCOUNT, **more)  # type: ignore[arg-type]


OPERATIONS: Final[tuple[Operation, ...]] = (
    _way_in(
        "/register", "Make a registered account", "Register",
        account_pb2.RegisterRequest, account_pb2.RegisterResponse, once="operation_id",
        example={"handle": "ada", "password": "correct horse", "installation": _INSTALLATION},
    ),
    _way_in(
        "/login", "Log in", "Login", account_pb2.LoginRequest, account_pb2.LoginResponse,
        example={"handle": "ada", "password": "correct horse", "installation": _INSTALLATION},
    ),
    _way_in(
        "/guests", "Come in as a guest", "CreateGuest",
        account_pb2.CreateGuestRequest, account_pb2.CreateGuestResponse, once="operation_id",
        example={"display_name": "Ada", "installation": _INSTALLATION},
    ),
    _way_in(
        "/refresh", "Take the next token pair", "RefreshToken",
        account_pb2.RefreshTokenRequest, account_pb2.RefreshTokenResponse,
    ),
    _account(
        "POST", "/guests/upgrade", "Turn the calling guest into a registered account", "UpgradeGuest",
        account_pb2.UpgradeGuestRequest, account_pb2.UpgradeGuestResponse, once="operation_id",
    ),
    _account("POST", "/logout", "End the calling session, or all", "Logout",
             account_pb2.LogoutRequest, account_pb2.LogoutResponse),
    _account("POST", "/password", "Change the password and end the other sessions", "ChangePassword",
             account_pb2.ChangePasswordRequest, account_pb2.ChangePasswordResponse),
    _account("GET", "/devices", "List the caller's sessions", "ListDevices",
             account_pb2.ListDevicesRequest, account_pb2.ListDevicesResponse),
    _account("DELETE", "/devices/{session_id}", "End another session of the caller", "RevokeDevice",
             account_pb2.RevokeDeviceRequest, account_pb2.RevokeDeviceResponse, path_fields=("session_id",)),
    _account("POST", "/tickets", "Make a one-time ticket for a WebSocket's Hello", "CreateTicket",
             account_pb2.CreateTicketRequest, account_pb2.CreateTicketResponse),
    Operation("GET", "/users", "Read profiles", "users", "get_users",
              account_pb2.GetUsersRequest, account_pb2.GetUsersResponse, query_fields=(("user_id", "user_ids"),)),
    Operation("GET", "/handles/{handle}", "Find a user by handle", "users", "find_user",
              account_pb2.FindUserRequest, account_pb2.FindUserResponse, path_fields=("handle",)),
    Operation("GET", "/conversations", "List the caller's conversations, newest first", _CONVERSATIONS,
              "list_conversations", conversation_pb2.ListConversationsRequest,
              conversation_pb2.ListConversationsResponse, query_fields=_PAGE),
    Operation("POST", "/conversations", "Find or make the private conversation with a user", _CONVERSATIONS,
              "open_direct", conversation_pb2.OpenDirectRequest, conversation_pb2.OpenDirectResponse,
              example={"user_id": "123456789012345678"}),
    Operation("GET", _CONVERSATION, "Read one conversation", _CONVERSATIONS, "get_conversation",
              conversation_pb2.GetConversationRequest, conversation_pb2.GetConversationResponse,
              path_fields=("conversation_id",)),
    Operation("GET", f"{_CONVERSATION}/members", "List members", _CONVERSATIONS, "list_members",
              conversation_pb2.ListMembersRequest, conversation_pb2.ListMembersResponse,
              path_fields=("conversation_id",), query_fields=_PAGE),
    Operation("PUT", f"{_CONVERSATION}/read", "Move the read cursor forward", _CONVERSATIONS, "mark_read",
              read_pb2.MarkReadRequest, read_pb2.MarkReadResponse, path_fields=("conversation_id",),
              example={"seq": "42"}),
    Operation("POST", "/sync", "Ask what changed since the last sync", _CONVERSATIONS, "sync",
              sync_pb2.SyncRequest, sync_pb2.SyncResponse),
    Operation("POST", f"{_CONVERSATION}/messages", "Send a message", _MESSAGES, "send",
              message_pb2.SendRequest, message_pb2.SendResponse, path_fields=("conversation_id",),
              once="client_message_id", example={"content": {"text": {"text": "hello"}}}),
    Operation("GET", f"{_CONVERSATION}/messages", "Read the history, a page at a time, newest first", _MESSAGES,
              "pull", message_pb2.PullRequest, message_pb2.PullResponse, path_fields=("conversation_id",),
              query_fields=(("from_seq", "from_seq"), ("to_seq", "to_seq"), ("page_size", "limit"))),
    Operation("GET", _MESSAGE, "Read one message", _MESSAGES, "get_messages",
              message_pb2.GetMessagesRequest, message_pb2.GetMessagesResponse,
              path_fields=("conversation_id", "seq")),
    Operation("PATCH", _MESSAGE, "Replace the text of an own message", _MESSAGES, "edit_message",
              message_pb2.EditMessageRequest, message_pb2.EditMessageResponse,
              path_fields=("conversation_id", "seq"), once="operation_id", example={"text": {"text": "hello!"}}),
    Operation("DELETE", _MESSAGE, "Recall a message for everybody", _MESSAGES, "recall_message",
              message_pb2.RecallMessageRequest, message_pb2.RecallMessageResponse,
              path_fields=("conversation_id", "seq"), once="operation_id"),
    Operation("POST", "/groups", "Make a group", _GROUPS, "create_group",
              conversation_pb2.CreateGroupRequest, conversation_pb2.CreateGroupResponse, once="operation_id",
              example={"title": "Tea", "user_ids": ["123456789012345678"]}),
    Operation("DELETE", _GROUP, "End a group for everybody", _GROUPS, "dissolve_group",
              conversation_pb2.DissolveGroupRequest, conversation_pb2.DissolveGroupResponse,
              path_fields=("conversation_id",), once="operation_id"),
    Operation("POST", f"{_GROUP}/members", "Add members", _GROUPS, "add_members",
              conversation_pb2.AddMembersRequest, conversation_pb2.AddMembersResponse,
              path_fields=("conversation_id",), once="operation_id", example={"user_ids": ["123456789012345678"]}),
    Operation("DELETE", f"{_GROUP}/members/{{user_id}}", "Remove a member", _GROUPS, "remove_member",
              conversation_pb2.RemoveMemberRequest, conversation_pb2.RemoveMemberResponse,
              path_fields=("conversation_id", "user_id"), once="operation_id"),
    Operation("POST", f"{_GROUP}/leave", "Leave a group", _GROUPS, "leave_group",
              conversation_pb2.LeaveGroupRequest, conversation_pb2.LeaveGroupResponse,
              path_fields=("conversation_id",), once="operation_id"),
)  # fmt: skip
"""In the order of the docs page."""
