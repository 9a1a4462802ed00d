"""The embedded cluster: gateway, logic, repo and task in one process, meeting over the real contract without sockets."""
