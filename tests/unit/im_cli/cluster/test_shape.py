from im_cli.cluster.shape import SERVICES, Shape, Together


def test_every_process_has_a_name_of_its_own() -> None:
    names = [member.name for member in Shape(gateways=3, logics=1, repos=2, tasks=1).members()]
    assert names == ["repo-a", "repo-b", "logic-a", "task-a", "gateway-a", "gateway-b", "gateway-c"]


def test_processes_that_hold_all_services_are_alike() -> None:
    members = list(Together(2).members())
    assert [(member.name, member.services) for member in members] == [
        ("together-a", SERVICES),
        ("together-b", SERVICES),
    ]
