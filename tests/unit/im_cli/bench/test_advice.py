"""Advice fits what is the matter: limits are blamed only where they refuse."""

import pytest

from im_bench.trouble import Trouble
from im_cli.bench.advice import advice_on


@pytest.mark.parametrize(
    ("trouble", "said"), [(Trouble.NO_SERVER, "`im up`"), (Trouble.LIMITED, "exempt_networks"), (Trouble.OTHER, "")]
)
def test_each_trouble_has_its_own(trouble: Trouble, said: str) -> None:
    advice = advice_on(trouble, "http://x")
    assert said in advice
    assert ("exempt_networks" in advice) is (trouble is Trouble.LIMITED)
