"""What the figures of docs/performance.md come from. Run by `make benchmark`.

environments.py    what is measured and what it is compared with, each installed apart
conda_prefix.py    the same as packages of conda's
larger.py          the same with more files
records.py         which files an environment's RECORDs list
commands.py        the command lines, and the stores and data sets they need
deep.py            those of deep verification
moving.py          those that push, pull and clone, with what goes to and fro: wire.py
stores.py          the stores of many capsules that they need
whole_process.py   runs them in turn, and takes down time and memory of each
in_process.py      what the library does within one process: library.py, recorded.py, layers.py
conda_records.py   what py-rattler takes for the same as the layer `conda`
figures.py         what was taken down of one thing
targets.py         what is to be reached
table.py           the page
machine.py         where it was measured
stores.py          large stores, of which nothing is on the page yet
"""
