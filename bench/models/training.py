"""The peer of training.bench.ts: scikit-learn's random forest. It answers each line of JSON with one.

{"make": {"rows", "test_rows", "columns", "seed", "path"}} writes a data set like those of make_classification:
float64 features, row-major, then int32 classes, training rows first.
{"load": {"rows", "test_rows", "columns", "path"}} reads such a file.
{"fit": {"seed", "jobs"}} fits the forest to what was read last and gives {"ms", "accuracy"}.
"""

import json
import sys
import time

import numpy as np
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier


def make(rows, test_rows, columns, seed, path):
    features, classes = make_classification(
        n_samples=rows + test_rows, n_features=columns, n_informative=10, n_redundant=5, n_classes=2, random_state=seed
    )
    with open(path, "wb") as file:
        file.write(np.ascontiguousarray(features, dtype=np.float64).tobytes())
        file.write(classes.astype(np.int32).tobytes())
    return {}


def load(rows, test_rows, columns, path):
    content = open(path, "rb").read()
    count = rows + test_rows
    features = np.frombuffer(content, np.float64, count * columns).reshape(count, columns)
    classes = np.frombuffer(content, np.int32, count, 8 * count * columns)
    load.parts = features[:rows], classes[:rows], features[rows:], classes[rows:]
    return {}


def fit(seed, jobs):
    train, train_classes, test, test_classes = load.parts
    forest = RandomForestClassifier(n_estimators=100, max_depth=10, random_state=seed, n_jobs=jobs)
    start = time.perf_counter()
    forest.fit(train, train_classes)
    ms = 1000 * (time.perf_counter() - start)
    return {"ms": ms, "accuracy": forest.score(test, test_classes)}


for line in sys.stdin:
    ((verb, arguments),) = json.loads(line).items()
    print(json.dumps({"make": make, "load": load, "fit": fit}[verb](**arguments)), flush=True)
