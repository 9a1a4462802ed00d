"""Sweeps and runs whose figures are known."""

from typing import Any

from im_bench.capacity.sweep import Axis, Sweep
from im_bench.report.result import Result

SUMMARY = {"p50": 2.0, "p90": 3.0, "p99": 9.0, "p999": 9.5, "max": 10.0}


def ran(gateway_s: float, **changed: Any) -> Result:
    """A run of 10 s in which 100 messages a second were acked and 900 delivered."""
    told: dict[str, Any] = {
        "scenario": "groups", "settings": {"duration": 10.0, "mode": "cluster", "seed": 1, "members": 10},
        "environment": {"cores": 2, "cpu_model": "a processor", "kernel": "6"},
        "acked_per_s": 100.0, "delivered_per_s": 900.0, "latency_ms": {"delivery": SUMMARY},
        "resources": {
            "gateway-a": {"cpu_s": gateway_s, "rss_mib": 90.0}, "redis": {"cpu_s": 0.5, "rss_mib": 10.0},
        },
        **changed,
    }  # fmt: skip
    return Result(**told)


def swept(*runs: tuple[int, Result], rounds: int = 1) -> Sweep:
    """Over members, with these runs."""
    sweep = Sweep(Axis("members", sorted({value for value, _ in runs})), rounds=rounds)
    for value, result in runs:
        sweep.add(value, result)
    return sweep


def run(acked: float, p99: float, **changed: Any) -> dict[str, Any]:
    """A run as a file has it."""
    return {
        "scenario": "private", "settings": {"mode": "embedded", "rate": 500.0, "duration": 10.0, "url": "http://x"},
        "environment": {"cpu_model": "a", "cores": 2, "kernel": "6"}, "verdict": "GOOD", "correctness": {"lost": 0},
        "acked_per_s": acked, "delivered_per_s": None, "latency_ms": {"delivery": {"p50": 1.0, "p99": p99}},
        "resources": {"cluster": {"cpu_s": 2.0, "rss_mib": 100.0}}, "measured": {}, **changed,
    }  # fmt: skip
