"""The `python` layer: the interpreter, its distributions, and what in its site directories none of them owns."""

from __future__ import annotations

import os

from capsulestore.capture.conda import metadata_of_conda
from capsulestore.capture.layer import LayerCapture, Runtime
from capsulestore.model.canonical import Json

__all__ = ["PythonLayer"]


class PythonLayer:
    """Everything an analysis could import from where packages are installed, and what imports it."""

    name = "python"
    rules = frozenset({1})
    in_environment = True

    def capture(self, runtime: Runtime, rules: int) -> LayerCapture:
        """Capture the layer; a collection with nothing in it, `packages` excepted, is left out.

        It is read anew where `runtime.cache` does not know it, or a file that it was read from has changed.
        """
        interpreter = runtime.interpreter
        of_conda = metadata_of_conda(runtime)

        def compute() -> Json:
            # Seldom needed, and a quarter of what a command imports.
            from capsulestore.capture.python.reading import read_layer  # noqa: PLC0415

            return read_layer(interpreter, rules, of_conda).as_json()

        name = f"python layer, rules {rules}, {os.path.abspath(interpreter.executable)}"
        # What is conda's is kept apart, with the files that tell it: it is asked before, and is part of the condition.
        condition = "\0".join([repr(interpreter), *sorted(of_conda)])
        if not all(map(os.path.isabs, [*interpreter.path, *interpreter.site_directories])):
            # Start-up code may add what is looked for from the working directory.
            condition += os.getcwd()
        return LayerCapture.from_json(runtime.cache.recall(name, compute, condition=condition))
