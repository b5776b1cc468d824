"""Makes capsules: of an environment, a command that is run, an analysis in this process, results that lie there."""
