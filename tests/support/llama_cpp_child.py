"""llama.cpp in a process of its own, which it may end: a request a line in, an answer a line out.

Argument: a GGUF file; `--f32`: a float32 cache and no flash attention, as exact as it can be. In: {"prompt": ids,
"n_predict": n, "n_probs": n}; out: what its server says.
"""

import argparse
import json
import os
import sys
import threading
from typing import Any

import xllamacpp


def _serve() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("weights")
    parser.add_argument("--context", type=int, default=4096)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--f32", action="store_true")
    asked = parser.parse_args()
    answers, sys.stdout = sys.stdout, sys.stderr
    params = xllamacpp.CommonParams()
    params.model.path = asked.weights
    params.n_ctx = asked.context
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = asked.threads
    params.n_gpu_layers = 0
    params.port = 0
    params.warmup = False
    params.ui = False
    params.verbosity = int(os.environ.get("LLAMA_VERBOSITY", "-1"))
    if asked.f32:
        params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    server = xllamacpp.Server(params)
    answers.write("ready\n")
    answers.flush()
    for line in sys.stdin:
        answers.write(json.dumps(_complete(server, json.loads(line))) + "\n")
        answers.flush()


def _complete(server: "xllamacpp.Server", asked: dict[str, Any]) -> Any:
    said: list[Any] = []
    is_done = threading.Event()

    def take(answer: Any) -> None:
        said.append(answer)
        is_done.set()

    server.handle_completions(
        {"temperature": 0, "return_tokens": True, "ignore_eos": False, "stream": False, **asked}, take
    )
    is_done.wait()
    return json.loads(said[0]) if isinstance(said[0], str | bytes) else said[0]


if __name__ == "__main__":
    _serve()
