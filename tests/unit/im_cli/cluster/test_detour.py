"""How the processes of a cluster reach each other."""

from im_cli.cluster.detour import straight


def test_straight_leads_where_the_server_listens() -> None:
    assert straight("mariadb", 3306) == 3306
