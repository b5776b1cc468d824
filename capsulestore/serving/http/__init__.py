"""HTTP/1.1 itself: sockets, connections with their limits, the log, the server that runs an application."""
