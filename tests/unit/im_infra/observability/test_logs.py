import io
import json
import logging

import pytest

from im_infra.observability import logs, traceparent
from im_infra.observability.span_names import LOGIC_REQUEST
from im_infra.observability.tracing import OFF


def written(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_is_one_object_a_line_with_its_head_first() -> None:
    stream = io.StringIO()
    logs.configure("json", stream=stream)
    logs.get("im.test").info("stream lost", peer="logic-1", open_requests=3)
    line = stream.getvalue()
    assert list(json.loads(line)) == ["time", "level", "logger", "event", "peer", "open_requests"]
    assert (written(stream)[0]["event"], written(stream)[0]["logger"]) == ("stream lost", "im.test")


def test_below_the_level_nothing_is_written() -> None:
    stream = io.StringIO()
    logs.configure("json", "warning", stream=stream)
    logs.get("im.test").info("quiet")
    logs.get("im.test").warning("loud")
    assert [line["event"] for line in written(stream)] == ["loud"]


def test_secrets_are_blanked() -> None:
    stream = io.StringIO()
    logs.configure("json", stream=stream)
    logs.get("im.test").info("login", password="hunter2", access_token="abc", user_id=7)
    assert written(stream)[0]["user_id"] == 7
    assert "hunter2" not in stream.getvalue()
    assert "abc" not in stream.getvalue()


@pytest.mark.parametrize("written_as", ["json", "console"])
def test_an_exception_comes_with_its_traceback_and_without_locals(written_as: logs.Format) -> None:
    stream = io.StringIO()
    logs.configure(written_as, stream=stream)
    secret = "hunter" + "2"
    try:
        int(secret[:-1])
    except ValueError:
        logs.get("im.test").exception("failed")
    assert "ValueError: invalid literal" in stream.getvalue()
    assert "Traceback" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()


def test_libraries_on_logging_speak_the_same_format() -> None:
    stream = io.StringIO()
    logs.configure("json", stream=stream)
    logging.getLogger("uvicorn").warning("port %d in use", 80)
    assert written(stream)[0]["event"] == "port 80 in use"
    assert written(stream)[0]["logger"] == "uvicorn"


def test_configured_again_it_writes_to_the_new_place_only() -> None:
    first, second = io.StringIO(), io.StringIO()
    log = logs.get("im.test")
    logs.configure("json", stream=first)
    log.info("one")
    logs.configure("json", stream=second)
    log.info("two")
    assert [line["event"] for line in written(first)] == ["one"]
    assert [line["event"] for line in written(second)] == ["two"]


def test_a_library_that_repeats_itself_is_heard_once_in_a_while() -> None:
    """Each phrase of it, whatever varies in it; others are heard each time."""
    stream = io.StringIO()
    logs.configure("json", "info", stream=stream)
    library, other = logging.getLogger("aiokafka.client"), logging.getLogger("somebody")
    for node in range(20):
        library.error("no connection to node %s", node)
        library.error("no metadata from %s", node)
        other.error("no connection to node %s", node)
    said = [line["event"] for line in written(stream)]
    assert said.count("no connection to node 0") == 2
    assert len(said) == 22


def test_lines_of_a_sampled_request_carry_its_ids() -> None:
    stream = io.StringIO()
    logs.configure("json", stream=stream)
    context = traceparent.read("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    with OFF.start(LOGIC_REQUEST, context).active():
        logs.get("im.test").info("within")
        logging.getLogger("some.library").warning("of a library")
    logs.get("im.test").info("outside")
    within, of_a_library, outside = written(stream)
    for line in (within, of_a_library):
        assert line["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
        assert line["span_id"] == "b7ad6b7169203331"
    assert "trace_id" not in outside
