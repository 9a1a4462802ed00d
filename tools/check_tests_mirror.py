"""Fail when a module has no unit test module, or a unit test module no source.

`im_repo/log/append.py` is tested by `tests/unit/im_repo/log/test_append.py`. What other suites prove instead is
listed below, each with the suite.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("im_infra", "im_repo", "im_logic", "im_task", "im_gateway", "im_sdk", "im_cli", "im_bench")
# A module's path or a folder's, and what proves it.
PROVED_ELSEWHERE: dict[str, str] = {
    "im_bench/accounts.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/adapters/echo.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/adapters/im/adapter.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/adapters/im/connection.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/adapters/im/receipts.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/adapters/im/rooms.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/report/record.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/run/coordinator.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/run/execute.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/run/generator.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/run/messages.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/run/target.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/run/worker.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/scenarios/connect.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/scenarios/groups.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/scenarios/history.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/scenarios/idle.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/scenarios/large_group.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/scenarios/login.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/scenarios/mixed.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/scenarios/offline.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/scenarios/one_room.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/scenarios/option.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/scenarios/private.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/scenarios/reconnect.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/scenarios/slow_reader.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/scenarios/talk.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/scenarios/world.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/scenarios/write.py": "tests/integration/im_bench/test_scenarios.py",
    "im_bench/trouble.py": "tests/unit/im_bench/adapters/test_diagnose.py",
    "im_cli/admin": "tests/integration/im_cli/test_operators.py",
    "im_cli/backup.py": "tests/integration/im_cli/test_operators.py",
    "im_cli/bench": "tests/integration/im_bench/test_scenarios.py",
    "im_cli/child_cluster.py": "tests/integration/im_cli/test_serve.py",
    "im_cli/cluster/command.py": "tests/cluster/test_local_cluster.py",
    "im_cli/cluster/install.py": "tests/cluster/test_local_cluster.py",
    "im_cli/cluster/local_cluster.py": "tests/cluster/test_local_cluster.py",
    "im_cli/cluster/service.py": "tests/cluster/test_local_cluster.py",
    "im_cli/dlq.py": "tests/integration/im_cli/test_operators.py",
    "im_cli/doctor/command.py": "tests/integration/im_cli/test_operators.py",
    "im_cli/doctor/embedded.py": "tests/integration/im_cli/test_operators.py",
    "im_cli/process": "tests/integration/im_cli/",
    "im_cli/exit_code.py": "tests/integration/im_cli/",
    "im_cli/keys.py": "tests/integration/im_cli/test_operators.py",
    "im_cli/main.py": "tests/integration/im_cli/test_operators.py",
    "im_cli/migrate.py": "tests/integration/im_cli/test_operators.py",
    "im_cli/migrate_data.py": "tests/integration/im_cli/test_migrate_data.py",
    "im_infra/bus/kafka/discard.py": "tests/integration/im_infra/bus/test_discard.py",
    "im_cli/repo.py": "tests/integration/im_cli/test_rewind.py",
    "im_cli/place.py": "tests/integration/im_cli/test_operators.py",
    "im_cli/process/run_process.py": "tests/integration/im_cli/test_up.py",
    "im_cli/serve.py": "tests/integration/im_cli/test_serve.py",
    "im_cli/status/command.py": "tests/integration/im_cli/test_status.py",
    "im_cli/status/gather.py": "tests/integration/im_cli/test_status.py",
    "im_cli/unlimited.py": "tests/integration/im_bench/test_scenarios.py",
    "im_cli/up.py": "tests/integration/im_cli/test_up.py",
    "im_cli/user.py": "tests/integration/im_cli/test_operators.py",
    "im_cli/version.py": "tests/integration/im_cli/test_operators.py",
    "im_gateway/app.py": "tests/integration/im_gateway/test_socket_path.py",
    "im_gateway/wiring.py": "tests/integration/im_gateway/test_socket_path.py",
    "im_gateway/codec/frames.py": "tests/integration/im_gateway/test_socket_path.py",
    "im_gateway/codec/json_mapping.py": "tests/integration/im_gateway/test_socket_path.py",
    "im_gateway/connections/connection.py": "tests/integration/im_gateway/test_keeping.py",
    "im_gateway/connections/hub.py": "tests/integration/im_gateway/test_keeping.py",
    "im_gateway/connections/tally.py": "tests/integration/im_gateway/test_keeping.py",
    "im_gateway/delivery": "tests/integration/im_gateway/test_fan_out.py",
    "im_gateway/http": "tests/integration/im_gateway/test_http.py",
    "im_gateway/servicer.py": "tests/integration/im_gateway/test_fan_out.py",
    "im_gateway/sessions": "tests/integration/im_gateway/test_hello.py",
    "im_gateway/transport/handshake.py": "tests/integration/im_gateway/test_hello.py",
    "im_gateway/transport/hello_guard.py": "tests/integration/im_gateway/test_hello.py",
    "im_gateway/transport/http_protocol.py": "tests/integration/im_gateway/test_http.py",
    "im_gateway/transport/public_port.py": "tests/integration/im_gateway/test_socket_path.py",
    "im_gateway/transport/tls.py": "tests/integration/im_gateway/test_keeping.py",
    "im_infra/bus/kafka": "tests/integration/im_infra/bus/",
    "im_infra/bus/tables.py": "tests/unit/im_repo/migrations/test_upgrade.py",
    "im_infra/discovery/views.py": "tests/contract/test_discovery.py",
    "im_infra/discovery/tables.py": "tests/unit/im_repo/migrations/test_upgrade.py",
    "im_infra/finding.py": "tests/unit/im_infra/cache/redis/test_examine.py",
    "im_infra/error_kind.py": "tests/unit/im_infra/test_errors.py",
    "im_infra/sql/errors.py": "tests/unit/im_infra/sql/test_sqlite_errors.py",
    "im_infra/sql/metadata.py": "tests/unit/im_repo/migrations/test_upgrade.py",
    "im_infra/sql/settings.py": "tests/unit/im_infra/sql/test_sqlite.py",
    "im_infra/sql/types.py": "tests/unit/im_repo/migrations/test_upgrade.py",
    "im_logic/accounts/model.py": "tests/unit/im_logic/accounts/test_convert.py",
    "im_logic/sessions/wire.py": "tests/unit/im_logic/sessions/test_face.py",
    "im_repo/log/draft.py": "tests/unit/im_repo/log/test_append_batch.py",
    "im_repo/log/settings.py": "tests/unit/im_repo/log/test_appender.py",
    "im_repo/migrations/env.py": "tests/unit/im_repo/migrations/test_upgrade.py",
    "im_repo/migrations/versions": "tests/unit/im_repo/migrations/test_upgrade.py",
    "im_repo/outbox/settings.py": "tests/unit/im_repo/outbox/test_sweeper.py",
    "im_repo/schema.py": "tests/unit/im_repo/migrations/test_upgrade.py",
    "im_repo/settings.py": "tests/unit/im_repo/test_app.py",
    "im_task/app.py": "tests/integration/access/",
    "im_task/fanout/repo_log.py": "tests/integration/access/",
    "im_task/settings.py": "tests/integration/access/",
    "im_logic/conversations/find_users.py": "tests/integration/im_logic/test_reading.py",
    "im_logic/conversations/open_direct.py": "tests/integration/im_logic/test_sending.py",
    "im_logic/conversations/read_conversations.py": "tests/integration/im_logic/test_groups.py",
    "im_logic/delivery/delivery.py": "tests/integration/im_logic/test_delivery.py",
    "im_logic/delivery/parcel.py": "tests/unit/im_logic/delivery/test_post.py",
    "im_logic/groups/change_members.py": "tests/integration/im_logic/test_groups.py",
    "im_logic/groups/create_group.py": "tests/integration/im_logic/test_groups.py",
    "im_logic/groups/people.py": "tests/integration/im_logic/test_groups.py",
    "im_logic/message_path.py": "tests/integration/im_logic/",
    "im_logic/messaging/change_message.py": "tests/integration/im_logic/test_sending.py",
    "im_logic/messaging/operation.py": "tests/integration/im_logic/test_sending.py",
    "im_logic/messaging/proposal.py": "tests/unit/im_logic/messaging/test_append_lanes.py",
    "im_logic/messaging/read_messages.py": "tests/integration/im_logic/test_sending.py",
    "im_logic/messaging/settings.py": "tests/unit/im_logic/messaging/test_send_message.py",
    "im_logic/messaging/tell_typing.py": "tests/integration/im_logic/test_sending.py",
    "im_logic/reading/cursors.py": "tests/integration/im_logic/test_reading.py",
    "im_logic/repo_calls.py": "tests/integration/im_logic/",
    "im_logic/sync/sync.py": "tests/integration/im_logic/test_reading.py",
}


def proved_elsewhere(path: str) -> bool:
    """Whether another suite is named for it."""
    return any(path == name or path.startswith(f"{name}/") for name in PROVED_ELSEWHERE)


def main() -> None:
    """Compare both trees."""
    problems = []
    for package in PACKAGES:
        for source in sorted((ROOT / package).rglob("*.py")):
            path = source.relative_to(ROOT)
            if source.name in {"__init__.py", "__main__.py", "abstract.py", "ports.py"} or proved_elsewhere(str(path)):
                continue
            test = ROOT / "tests/unit" / path.parent / f"test_{path.name.lstrip('_')}"
            if not test.exists():
                problems.append(f"{path} has no {test.relative_to(ROOT)}")
    for test in sorted((ROOT / "tests/unit").rglob("test_*.py")):
        path = test.relative_to(ROOT / "tests/unit")
        name = path.name.removeprefix("test_")
        if not any((ROOT / path.parent / candidate).exists() for candidate in (name, f"_{name}")):
            problems.append(f"{test.relative_to(ROOT)} tests no module")
    problems += [
        f"{name}: there is no {proof}" for name, proof in PROVED_ELSEWHERE.items() if not (ROOT / proof).exists()
    ]
    if problems:
        raise SystemExit("\n".join(problems))


if __name__ == "__main__":
    main()
