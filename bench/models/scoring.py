"""
Trains a forest with scikit-learn and scores it with ONNX Runtime, one thread, for bench/models/scoring.bench.ts. Reads
requests, a line of JSON each, and answers each with a line: {"fit": {...}} trains, gives the trees and keeps the rows
to score; {"score": {"block": n, "repeat": n}} scores them n at a time and gives the seconds per row; {"values": n} the
probabilities of the first n.
"""

import json
import os
import sys
import time
import warnings

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
from skl2onnx import to_onnx  # noqa: E402
from sklearn.ensemble import RandomForestClassifier  # noqa: E402
from sklearn_forest import flat  # noqa: E402

state = {}


def noisy(rows, columns, seed):
    """Many features, most of them noise, and labels that no forest can learn well: trees grow as large as they may."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(rows, columns))
    score = features[:, :8].sum(axis=1) + features[:, 8] * features[:, 9] + random.normal(size=rows) * 3
    return features, np.digitize(score, [-1.5, 1.5])


def fit(request):
    # ONNX Runtime and scikit-learn compare float32 values: rows that are float32 already decide alike in float64.
    if "rows" in request:
        features = np.array(request["rows"]).reshape(len(request["labels"]), -1)
        labels, asked = np.array(request["labels"]), np.array(request["asked"]).reshape(-1, features.shape[1])
    else:
        features, labels = noisy(request["train"], 20, 1)
        asked, _ = noisy(request["test"], 20, 2)
    features, asked = features.astype(np.float32), asked.astype(np.float32)
    model = RandomForestClassifier(100, max_depth=10, random_state=1, n_jobs=1).fit(features, labels)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    graph = to_onnx(model, features[:1], options={id(model): {"zipmap": False}}).SerializeToString()
    state["session"] = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    state["input"] = state["session"].get_inputs()[0].name
    state["asked"] = asked
    return {"columns": features.shape[1], "asked": asked.astype(np.float64).ravel().tolist(), "forest": flat(model, len(model.classes_))}


def score(request):
    run, name, asked = state["session"].run, state["input"], state["asked"]
    blocks = [asked[at : at + request["block"]] for at in range(0, request["rows"], request["block"])]
    start = time.perf_counter()
    for _ in range(request["repeat"]):
        for block in blocks:
            run(None, {name: block})
    return (time.perf_counter() - start) / request["repeat"] / request["rows"]


for line in sys.stdin:
    request = json.loads(line)
    if "fit" in request:
        answer = fit(request["fit"])
    elif "values" in request:
        answer = state["session"].run(None, {state["input"]: state["asked"][: request["values"]]})[1].ravel().tolist()
    else:
        answer = score(request["score"])
    print(json.dumps(answer), flush=True)
