"""Write docs/reference/messages.md from the comments in proto/im/v1; with `--check` compare it."""

import tempfile
from pathlib import Path

import grpc_tools
from generated_page import ROOT, finish, row, table
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)
from grpc_tools import protoc

HEAD = """# Messages of the client protocol

<!-- generated from proto/im/v1 by `make docs`; edit the comments there -->

Every message and enum of `proto/im/v1`, field by field. What they are for, and in what order, is in
[protocol.md](protocol.md); error numbers and close codes are in [errors.md](errors.md).

Types are protobuf's (proto3). In JSON an `int64` or `uint64` is a string, an enum its name, `bytes` base64, and a field
keeps the name it has here. *One of*: at most one of the fields that share that word is set.
"""
FILES = ("frame", "session", "message", "sync", "read", "conversation", "account", "error")
TITLES = {
    "frame": "Frames",
    "session": "The connection",
    "message": "Messages and the log",
    "sync": "Sync",
    "read": "Cursors and the screen",
    "conversation": "Conversations and members",
    "account": "Accounts, devices, tokens",
    "error": "Errors",
}
_MESSAGE, _ENUM, _MESSAGE_FIELD, _ENUM_VALUE = 4, 5, 2, 2
"""Field numbers of the descriptors, of which the paths of comments consist."""


def read_files() -> dict[str, FileDescriptorProto]:
    """The files by name, with their comments."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "set"
        well_known = Path(grpc_tools.__file__).parent / "_proto"
        sources = [str(ROOT / f"proto/im/v1/{name}.proto") for name in FILES]
        code = protoc.main(
            ["protoc", f"-I{ROOT / 'proto'}", f"-I{well_known}", "--include_source_info", f"-o{out}", *sources]
        )
        if code:
            raise SystemExit("protoc failed")
        found = FileDescriptorSet.FromString(out.read_bytes())
    return {Path(file.name).stem: file for file in found.file}


def type_of(field: FieldDescriptorProto) -> str:
    """A field's type, linked where it is one of ours."""
    name = field.type_name.rpartition(".")[2]
    text = (
        f"[{name}](#{name.lower()})"
        if name
        else FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
    )
    if name in {"CloseCode", "ErrorNumber"}:
        text = f"[{name}](errors.md)"
    return f"list of {text}" if field.label == FieldDescriptorProto.LABEL_REPEATED else text


def comments(file: FileDescriptorProto) -> dict[tuple[int, ...], str]:
    """Comments by path."""
    return {tuple(place.path): " ".join(place.leading_comments.split()) for place in file.source_code_info.location}


def describe_message(message: DescriptorProto, told: dict[tuple[int, ...], str], path: tuple[int, ...]) -> list[str]:
    """A message as a section."""
    lines = ["", f"### {message.name}", "", told.get(path, "")]
    if not message.field:
        return [*lines, "", "No fields."]
    lines += ["", *table("#", "field", "type", "what it is")]
    for position, field in enumerate(message.field):
        text = told.get((*path, _MESSAGE_FIELD, position), "")
        if field.HasField("oneof_index") and not field.proto3_optional:
            text = f"*One of {message.oneof_decl[field.oneof_index].name}.* {text}"
        lines.append(row(field.number, f"`{field.name}`", type_of(field), text))
    return lines


def describe_enum(enum: EnumDescriptorProto, told: dict[tuple[int, ...], str], path: tuple[int, ...]) -> list[str]:
    """An enum as a section."""
    lines = ["", f"### {enum.name}", "", told.get(path, ""), "", *table("#", "value", "what it means")]
    for position, value in enumerate(enum.value):
        lines.append(row(value.number, f"`{value.name}`", told.get((*path, _ENUM_VALUE, position), "")))
    return lines


def main() -> None:
    """Write the page."""
    files = read_files()
    lines = HEAD.splitlines()
    for name in FILES:
        file = files[name]
        told = comments(file)
        lines += ["", f"## {TITLES[name]}"]
        for position, message in enumerate(file.message_type):
            lines += describe_message(message, told, (_MESSAGE, position))
        for position, enum in enumerate(file.enum_type):
            lines += describe_enum(enum, told, (_ENUM, position))
    finish("messages.md", lines)


if __name__ == "__main__":
    main()
