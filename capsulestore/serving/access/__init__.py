"""Who may ask a server for what."""
