"""capsulestore: records the environment an analysis ran in, content-addressed, in a local git-like store."""
