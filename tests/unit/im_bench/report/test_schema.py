"""The schema and the result are the same shape."""

import jsonschema
import pytest

from im_bench.ledger.correctness import Correctness
from im_bench.report.environment import environment
from im_bench.report.record import Row
from im_bench.report.result import SCHEMA_VERSION, Result
from im_bench.report.schema import result_schema

SUMMARY: dict[str, float | None] = {"p50": 1.0, "p90": 2.0, "p99": 3.0, "p999": 3.0, "max": 3.0}
SETTINGS = {"seed": 1, "adapter": "im", "workers": 1, "url": "http://127.0.0.1:1", "mode": "embedded", "server": {}}


def result() -> Result:
    row = Row(
        1.0, "drive", True, 5.0, 5.0, 5.0, 2, {"ack": SUMMARY}, [0.1], {"cluster": {"cpu_share": 0.1, "rss_mib": 9}}
    )
    return Result(
        "private", dict(SETTINGS), environment(), began_time=1, series=[row],
        latency_ms={"ack": SUMMARY, "delivery": dict.fromkeys(SUMMARY)},
        generator={"processes": 1, "cpu_share": None, "slip_p99_ms": 0.5},
        resources={"cluster": {"cpu_s": 1.0, "rss_mib": 9.0}},
    )  # fmt: skip


def test_a_result_is_what_the_schema_says() -> None:
    jsonschema.Draft202012Validator.check_schema(result_schema())
    jsonschema.validate(result().as_json(), result_schema())


@pytest.mark.parametrize("key", ["latency_ms", "correctness", "generator", "verdict", "series"])
def test_a_key_that_is_missing_is_found(key: str) -> None:
    told = result().as_json()
    del told[key]
    with pytest.raises(jsonschema.ValidationError, match=key):
        jsonschema.validate(told, result_schema())


def test_a_key_that_nobody_documented_is_found() -> None:
    told = result().as_json()
    told["series"][0]["undocumented"] = 1
    with pytest.raises(jsonschema.ValidationError, match="undocumented"):
        jsonschema.validate(told, result_schema())


def test_version_and_counts_are_those_of_the_code() -> None:
    schema = result_schema()
    assert schema["properties"]["schema_version"]["const"] == SCHEMA_VERSION
    assert set(schema["$defs"]["correctness"]["properties"]) == set(Correctness.__dataclass_fields__)
    assert set(schema["$defs"]["row"]["properties"]) == set(Row.__dataclass_fields__)
    assert set(schema["properties"]) == set(result().as_json())
