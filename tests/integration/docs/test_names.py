"""Names on the pages are names in the code: metrics, errors, enum values, settings."""

import re

from im_bench.report.verdict import Verdict
from im_cli.process.settings import ProcessSettings
from im_infra.error_table import REASONS, CloseCode
from im_infra.observability.metric_names import METRICS
from im_infra.observability.span_names import SPANS
from im_infra.settings import describe
from im_proto.v1 import account_pb2, conversation_pb2, message_pb2
from tests.docs_support.blocks import pages


def named(pattern: str) -> set[str]:
    """What stands in backticks on the pages, where it looks like `pattern`."""
    return {
        found
        for page in pages()
        if page.name not in {"CHANGELOG.md", "cli.md"}
        for found in re.findall(rf"`({pattern})`", page.read_text(encoding="utf-8"))
    }


def test_metrics() -> None:
    metrics = {metric.name for metric in METRICS}
    assert named(r"im_[a-z_]+_(?:total|rows|items|seconds|bytes)") <= metrics


def test_errors_close_codes_and_enum_values() -> None:
    known = {each.name for each in (*REASONS, *CloseCode, *Verdict)}
    for file in (account_pb2, conversation_pb2, message_pb2):
        for enum in file.DESCRIPTOR.enum_types_by_name.values():
            known |= {value.name for value in enum.values}
    assert {name for name in named("[A-Z]+_[A-Z_]+") if not name.startswith("IM_") and name not in known} == set()


def test_settings() -> None:
    keys = {doc.key for doc in describe(ProcessSettings)}
    sections = {key.rpartition(".")[0] for key in keys}
    asked = {name for name in named(r"(?:gateway|logic|repo|task|sql|bus)\.[a-z_.]+") if "py" not in name}
    assert asked <= keys | sections | {span.name for span in SPANS}


def test_every_span_is_explained() -> None:
    page = next(page for page in pages() if page.name == "see-where-a-message-goes.md")
    text = page.read_text(encoding="utf-8")
    assert {span.name for span in SPANS if span.name not in text} == set()
