"""What differs between two environments, and what that says of a capsule."""
