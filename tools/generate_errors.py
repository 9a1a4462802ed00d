"""Write everything that is made from proto/errors.yaml.

Run by `make proto`: the proto enums, the servers' table, the SDK's table and the reference page.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
NOTE = "generated from proto/errors.yaml by `make proto`; edit that"


def enum(
    name: str, prefix: str, comment: str, rows: list[dict[str, Any]], retired: Sequence[dict[str, Any]] = ()
) -> str:
    """One proto enum of the table's rows, with the numbers that are not used any more."""
    lines = [f"// {comment}", f"enum {name} {{", f"  {prefix}_UNSPECIFIED = 0;"]
    for row in rows:
        lines += [f"  // {row['meaning']}", f"  {prefix}_{row['name']} = {row['number']};"]
    for row in retired:
        lines += [f"  // Not sent: {row['reason']}", f"  {prefix}_{row['name']} = {row['number']} [deprecated = true];"]
    return "\n".join([*lines, "}"])


def proto(errors: list[dict[str, Any]], closes: list[dict[str, Any]], retired: list[dict[str, Any]]) -> str:
    """The proto file with both enums."""
    return "\n".join(
        [
            f"// The numbers of errors and close codes: {NOTE}.",
            'syntax = "proto3";',
            "",
            "package im.v1;",
            "",
            enum(
                "ErrorNumber", "ERROR_NUMBER", "Why a request failed. Values are added, never reused.", errors, retired
            ),
            "",
            enum(
                "CloseCode", "CLOSE_CODE", "Why a socket was closed. 4000-4499: reconnect; 4500-4999: do not.", closes
            ),
            "",
        ]
    )


def server_table(errors: list[dict[str, Any]], closes: list[dict[str, Any]]) -> str:
    """The servers' table."""
    lines = [
        f'"""Every error reason and close code: {NOTE}."""',
        "",
        "from enum import IntEnum",
        "from typing import Final, NamedTuple",
        "",
        "from im_infra.error_kind import Kind",
        "",
        "",
        "class Reason(NamedTuple):",
        '    """One row of the table of errors."""',
        "",
        "    number: int",
        "    name: str",
        "    kind: Kind",
        "    retryable: bool",
        "    meaning: str",
        "",
        "",
    ]
    lines.extend(
        f'{row["name"]}: Final = Reason({row["number"]}, "{row["name"]}", Kind.{row["kind"]}, {row["retryable"]}, "{row["meaning"]}")'
        for row in errors
    )
    names = ", ".join(row["name"] for row in errors)
    lines += [
        "",
        f"REASONS: Final = ({names})",
        "BY_NUMBER: Final = {reason.number: reason for reason in REASONS}",
        "",
        "",
    ]
    lines += ["class CloseCode(IntEnum):", '    """Why a socket is closed. Below 4500: the client reconnects."""', ""]
    for row in closes:
        lines += [f"    {row['name']} = {row['number']}"]
    return "\n".join([*lines, ""])


def sdk_table(errors: list[dict[str, Any]], closes: list[dict[str, Any]]) -> str:
    """The Python SDK's table."""
    lines = [
        f'"""What the SDK knows of errors and close codes: {NOTE}."""',
        "",
        "from enum import IntEnum",
        "from typing import Final",
        "",
        "",
        "class ErrorNumber(IntEnum):",
        '    """Why a request failed."""',
        "",
        *[f"    {row['name']} = {row['number']}" for row in errors],
        "",
        "",
        "class CloseCode(IntEnum):",
        '    """Why the server closed the socket."""',
        "",
        *[f"    {row['name']} = {row['number']}" for row in closes],
        "",
        "",
        "RETRYABLE: Final = frozenset(",
        "    {",
        *[f"        ErrorNumber.{row['name']}," for row in errors if row["retryable"]],
        "    }",
        ")",
        "",
        "KINDS: Final = {",
        *[f'    ErrorNumber.{row["name"]}: "{row["kind"]}",' for row in errors],
        "}",
        "",
        "",
        "def reconnects(close_code: int) -> bool:",
        '    """Whether a client connects again after this close code: all but 4500 to 4999."""',
        "    return not 4500 <= close_code <= 4999",
        "",
    ]
    return "\n".join(lines)


def page(errors: list[dict[str, Any]], closes: list[dict[str, Any]], retired: list[dict[str, Any]]) -> str:
    """The reference page."""
    lines = [
        "# Errors and close codes",
        "",
        f"<!-- {NOTE} -->",
        "",
        "A failed request is answered with `error`: `number, name, message, retryable, retry_after_ms`. `message` is for people;",
        "programs go by `number`. *Retryable* means: the same request, with the same ids, may be sent again.",
        "",
        "| number | name | kind | retryable | what it means | what to do |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in errors:
        yes = "yes" if row["retryable"] else "no"
        lines.append(
            f"| {row['number']} | `{row['name']}` | {row['kind']} | {yes} | {row['meaning']} | {row['action']} |"
        )
    lines += ["", "Taken, and not sent by this version:", ""]
    lines.extend(f"- {row['number']} {row['name']}: {row['reason']}" for row in retired)
    lines += [
        "",
        "## Close codes",
        "",
        "4000 to 4499 and every code outside 4000-4999: connect again, with full jitter. 4500 to 4999: do not, until something changes.",
        "",
        "| code | name | reconnect | what it means | what to do |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in closes:
        yes = "yes" if row["reconnect"] else "no"
        lines.append(f"| {row['number']} | `{row['name']}` | {yes} | {row['meaning']} | {row['action']} |")
    return "\n".join([*lines, ""])


def check(errors: list[dict[str, Any]], closes: list[dict[str, Any]], retired: list[dict[str, Any]]) -> None:
    """Refuse a table that contradicts itself."""
    for rows in (errors + retired, closes):
        for key in ("number", "name"):
            values = [row[key] for row in rows]
            if len(values) != len(set(values)):
                raise SystemExit(f"errors.yaml: a {key} stands twice")
    for row in closes:
        if row["reconnect"] != (4000 <= row["number"] < 4500):
            raise SystemExit(f"errors.yaml: close code {row['number']} is in the wrong range")


def main() -> None:
    """Write all four files; with `--check` compare them instead."""
    table = yaml.safe_load((ROOT / "proto/errors.yaml").read_text(encoding="utf-8"))
    errors, closes, retired = table["errors"], table["close_codes"], table["retired"]
    check(errors, closes, retired)
    outputs = {
        "proto/im/v1/error_number.proto": proto(errors, closes, retired),
        "im_infra/error_table.py": server_table(errors, closes),
        "im_sdk/_error_table.py": sdk_table(errors, closes),
        "docs/reference/errors.md": page(errors, closes, retired),
    }
    for name, text in outputs.items():
        path = ROOT / name
        if "--check" not in sys.argv[1:]:
            path.write_text(text, encoding="utf-8")
        elif path.read_text(encoding="utf-8") != text:
            raise SystemExit(f"{name} differs from proto/errors.yaml, run `make proto`")


if __name__ == "__main__":
    main()
