"""What the figures of docs/performance.md come from. Run by `make benchmark`.

environments.py    what is measured and what it is compared with, each installed apart
commands.py        the command lines, and the stores and data sets they need
whole_process.py   runs them in turn, and takes down time and memory of each
in_process.py      what the library does within one process
figures.py         what was taken down of one thing
targets.py         what is to be reached
table.py           the page
machine.py         where it was measured
"""
