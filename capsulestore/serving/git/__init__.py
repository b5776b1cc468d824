"""A served store as a repository of git's: clones, and pushes, which are checked before they can be seen."""
