"""The `variables` layer: those environment variables that change results, by a list of names, never any other.

What a variable holds was put there by anybody, secrets included. So it is recorded only where its name says that it
sets how many threads compute, which instructions are used, how text and time are read, or the like.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from capsulestore.capture.files import path_text
from capsulestore.capture.finding import Finding
from capsulestore.capture.layer import LayerCapture, Runtime, state_of
from capsulestore.model.canonical import Json
from capsulestore.model.redaction import REDACTED, redact_url

__all__ = ["MAX_BYTES", "PATHS", "PROCESS", "VariablesLayer"]

MAX_BYTES: Final = 32 * 1024
"""The longest value that is recorded."""

PROCESS: Final = frozenset(
    """
    OMP_DYNAMIC OMP_MAX_ACTIVE_LEVELS OMP_NESTED OMP_NUM_THREADS OMP_PLACES OMP_PROC_BIND OMP_SCHEDULE OMP_THREAD_LIMIT
    GOMP_CPU_AFFINITY KMP_AFFINITY KMP_DETERMINISTIC_REDUCTION
    BLIS_ARCH_TYPE BLIS_NUM_THREADS GOTO_NUM_THREADS OPENBLAS_CORETYPE OPENBLAS_NUM_THREADS VECLIB_MAXIMUM_THREADS
    MKL_CBWR MKL_DEBUG_CPU_TYPE MKL_DYNAMIC MKL_ENABLE_INSTRUCTIONS MKL_NUM_THREADS
    NPY_DISABLE_CPU_FEATURES NPY_ENABLE_CPU_FEATURES NPY_PROMOTION_STATE
    NUMBA_CPU_FEATURES NUMBA_CPU_NAME NUMBA_DISABLE_JIT NUMBA_NUM_THREADS NUMEXPR_MAX_THREADS NUMEXPR_NUM_THREADS
    POLARS_MAX_THREADS RAYON_NUM_THREADS
    CUBLAS_WORKSPACE_CONFIG CUDA_DEVICE_ORDER CUDA_VISIBLE_DEVICES NVIDIA_TF32_OVERRIDE
    HIP_VISIBLE_DEVICES ROCR_VISIBLE_DEVICES
    TORCH_ALLOW_TF32_CUBLAS_OVERRIDE
    TF_CUDNN_DETERMINISTIC TF_DETERMINISTIC_OPS TF_ENABLE_ONEDNN_OPTS TF_NUM_INTEROP_THREADS TF_NUM_INTRAOP_THREADS
    JAX_DEFAULT_MATMUL_PRECISION JAX_DEFAULT_PRNG_IMPL JAX_ENABLE_X64 JAX_PLATFORMS JAX_THREEFRY_PARTITIONABLE
    KERAS_BACKEND
    PYTHONCOERCECLOCALE PYTHONHASHSEED PYTHONINTMAXSTRDIGITS PYTHONIOENCODING PYTHONNOUSERSITE
    PYTHONOPTIMIZE PYTHONSAFEPATH PYTHONUTF8 PYTHON_GIL
    LANG LC_ADDRESS LC_ALL LC_COLLATE LC_CTYPE LC_IDENTIFICATION LC_MEASUREMENT LC_MESSAGES LC_MONETARY LC_NAME
    LC_NUMERIC LC_PAPER LC_TELEPHONE LC_TIME
    SOURCE_DATE_EPOCH TZ
    GLIBC_TUNABLES MALLOC_ARENA_MAX
    """.split()  # noqa: SIM905  (as a list it would take a page)
)
"""Those that say how. Of `LC_*` the categories of locale(7) alone: sshd lets any other name of that form in too."""

PATHS: Final = frozenset(
    """
    LD_AUDIT LD_LIBRARY_PATH LD_PRELOAD LOCPATH PYTHONHOME PYTHONPATH PYTHONTZPATH PYTHONUSERBASE TZDIR XLA_FLAGS
    """.split()  # noqa: SIM905  (as a list it would take a page)
)
"""Those that say where, which differs between machines that are otherwise the same; XLA's flags hold paths too."""

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?:(?!://)\S)*")
_USER: Final = re.compile(r":[^/:\s]*@")
"""Part of `user:password@`."""


class VariablesLayer:
    """The listed variables that the target is started with."""

    name = "variables"
    rules = frozenset({1})
    in_environment = False

    def capture(self, runtime: Runtime, rules: int) -> LayerCapture:
        """Capture the layer; a collection with nothing in it is left out."""
        findings: list[Finding] = []
        collections = {
            "process": _recorded(runtime.environ, PROCESS, findings),
            "paths": _recorded(runtime.environ, PATHS, findings),
        }
        context: dict[str, Json] = {"rules": rules}
        return LayerCapture(
            state=state_of(findings),
            context=context | {name: found for name, found in collections.items() if found},
            findings=tuple(findings),
        )


def _recorded(environ: Mapping[str, str], names: frozenset[str], findings: list[Finding]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for name in sorted(names & environ.keys()):
        value = path_text(environ[name])
        if len(value.encode()) > MAX_BYTES:
            findings.append(
                Finding("variables", "too-long", name, "a value that is too long to be recorded", incomplete=True)
            )
            continue
        found[name], redacted = _without_secrets(value)
        if redacted:
            message = "held what may be credentials or a url's query string, which are not recorded"
            findings.append(Finding("variables", "redacted", name, message))
    return found


def _without_secrets(value: str) -> tuple[str, bool]:
    """Return a value without credentials and query strings of urls, and whether there were any.

    Where there is more in it than one url, there is no telling where that ends: the value goes as a whole.
    """
    if _URL.fullmatch(value):
        return redact_url(value)
    behind = value.partition("://")[2]
    suspect = _USER.search(value) or any(sign in behind for sign in "@?#;")
    return (REDACTED, True) if suspect else (value, False)
