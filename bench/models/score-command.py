"""What `driftline score` is compared with: pandas.read_csv, scikit-learn's predict_proba and to_csv on the same rows.

    score-command.py prepare FOLDER ROWS   writes train.csv, rounded.csv and full.csv
    score-command.py                       answers lines of JSON: {"train": file} or {"in": file, "out": file, "jobs": n}

The rows are those of Iris with normal noise (sd 0.1): `rounded` to two decimals, as an instrument gives them, and `full`
with every digit of a double.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

NAMES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
TRAIN_ROWS = 3998
SEED = 42


def noisy(count, random):
    iris = load_iris()
    base = random.integers(0, len(iris.data), count)
    values = np.abs(iris.data[base] + random.normal(0, 0.1, (count, len(NAMES))))
    return pd.DataFrame(values, columns=NAMES), iris.target_names[iris.target[base]]


def prepare(folder, rows):
    random = np.random.default_rng(SEED)
    train, species = noisy(TRAIN_ROWS, random)
    train.round(2).assign(species=species).to_csv(folder / "train.csv", index=False)
    frame, _ = noisy(rows, random)
    frame.round(2).to_csv(folder / "rounded.csv", index=False)
    frame.to_csv(folder / "full.csv", index=False)
    print(json.dumps({"rows": rows}))


def serve():
    forest = None
    for line in sys.stdin:
        request = json.loads(line)
        if "train" in request:
            frame = pd.read_csv(request["train"])
            forest = RandomForestClassifier(n_estimators=100, max_depth=10, random_state=SEED)
            forest.fit(frame[NAMES].to_numpy(), frame["species"].to_numpy())
            print(json.dumps({}), flush=True)
            continue
        forest.n_jobs = request["jobs"]
        started = time.perf_counter()
        frame = pd.read_csv(request["in"])
        probabilities = forest.predict_proba(frame[NAMES].to_numpy())
        scores = pd.DataFrame(probabilities, columns=[f"probability_{name}" for name in forest.classes_])
        scores.insert(0, "prediction", forest.classes_[probabilities.argmax(axis=1)])
        scores.to_csv(request["out"], index=False)
        print(json.dumps({"seconds": time.perf_counter() - started}), flush=True)


if len(sys.argv) > 1:
    prepare(Path(sys.argv[2]), int(sys.argv[3]))
else:
    serve()
