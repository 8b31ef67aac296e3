"""Where to compute, and how to get the same numbers twice."""

import os

import torch


def device() -> torch.device:
    """The GPU when there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def repeatable(threads: int) -> None:
    """Ask torch for the same numbers twice, in full single precision.

    Other numbers of threads, and other machines, give other last digits. On GPUs a few
    gradients have no repeatable form: torch then warns and goes on.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read at its start
    torch.set_num_threads(threads)
    # Not use_deterministic_algorithms: it imports torch's compiler, two seconds a job.
    torch.set_deterministic_debug_mode("warn")
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
