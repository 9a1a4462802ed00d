from pathlib import Path

from tests.harness.history import Happening, History, read_lines, to_line


def test_a_history_reads_back_as_it_happened(tmp_path: Path) -> None:
    with History(tmp_path / "h.jsonl") as history:
        history.add("send_invoke", device="a", user_id=7, conversation_id=1, key="a 1 1", number=1)
        history.add("broken")
    with (tmp_path / "h.jsonl").open(encoding="utf-8") as file:
        assert list(read_lines(file)) == history.happenings
    assert history.count("broken") == 1


def test_a_line_leaves_out_what_is_unset() -> None:
    assert to_line(Happening("healed", at=1.5)) == '{"kind": "healed", "at": 1.5}\n'
