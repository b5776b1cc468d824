"""Git's protocol: packets, what a remote advertises and reports, and the programs at the other end."""
