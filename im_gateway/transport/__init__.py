"""The public port: request heads, TLS, origins, proxies, admission, and sockets behind a thin interface."""
