"""Web servers: connections, proxies, logins, and what is said over them."""
