"""Adapters are found by name, and what is none says so."""

import pytest

from im_bench.adapters.echo import EchoAdapter
from im_bench.adapters.im.adapter import ImAdapter
from im_bench.adapters.registry import load_adapter


def test_shipped_ones_have_names_and_others_a_place() -> None:
    assert load_adapter("im") is ImAdapter
    assert load_adapter("echo") is EchoAdapter
    assert load_adapter("im_bench.adapters.echo:EchoAdapter") is EchoAdapter


@pytest.mark.parametrize("name", ["nothing", "no.such.module:Adapter", "im_bench.adapters.echo:Nothing", "json:loads"])
def test_what_is_none_is_refused_with_a_reason(name: str) -> None:
    with pytest.raises(ValueError, match=name.partition(":")[0].rpartition(".")[2]):
        load_adapter(name)
