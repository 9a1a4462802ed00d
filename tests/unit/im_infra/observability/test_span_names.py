import re

from im_infra.observability import span_names
from im_infra.observability.span_names import SPANS, SpanName


def test_every_span_is_in_the_list_once() -> None:
    declared = {value.name for value in vars(span_names).values() if isinstance(value, SpanName)}
    assert declared == {span.name for span in SPANS}
    assert len(SPANS) == len(declared)


def test_names_say_the_service() -> None:
    for span in SPANS:
        assert re.fullmatch(r"(gateway|logic|repo|task)\.[a-z_]+", span.name)
        assert span.help.endswith(".")
