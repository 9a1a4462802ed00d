"""What the load speaks to, a family: our gateway, a plain echo server, and whatever somebody writes an adapter for."""
