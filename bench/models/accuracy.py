"""Scores of scikit-learn on given splits. A request is a line of JSON, and so is its answer:

    {"data": "iris/iris.csv", "kind": "classification", "splits": [[row, ...], ...]}
    {"logistic": 0.96, "forest": 0.95, "svm": 0.96}

Each split lists the rows that are held out; a score is the mean over the splits, accuracy or R2.
"""

import csv
import json
import sys
from pathlib import Path

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

EXAMPLES = Path(__file__).parent / "../../examples"

MODELS = {
    "classification": {
        "logistic": lambda seed: make_pipeline(StandardScaler(), LogisticRegression(max_iter=10_000)),
        "forest": lambda seed: RandomForestClassifier(100, random_state=seed),
        "svm": lambda seed: make_pipeline(StandardScaler(), SVC()),
    },
    "regression": {
        "ridge": lambda seed: make_pipeline(StandardScaler(), Ridge()),
        "forest": lambda seed: RandomForestRegressor(100, random_state=seed),
        # On the bare target SVR hardly learns: its epsilon is in the target's unit.
        "svm": lambda seed: TransformedTargetRegressor(make_pipeline(StandardScaler(), SVR()), transformer=StandardScaler()),
    },
}


def load(path, kind):
    with open(EXAMPLES / path) as file:
        rows = list(csv.reader(file))[1:]
    target = [row[-1] for row in rows]
    x = np.array([[float(value) for value in row[:-1]] for row in rows])
    return x, np.array([float(value) for value in target] if kind == "regression" else target)


def score(make, x, y, splits):
    scores = []
    for seed, held in enumerate(splits):
        rest = np.setdiff1d(np.arange(len(y)), held)
        scores.append(make(seed).fit(x[rest], y[rest]).score(x[held], y[held]))
    return float(np.mean(scores))


for line in sys.stdin:
    request = json.loads(line)
    x, y = load(request["data"], request["kind"])
    models = MODELS[request["kind"]]
    print(json.dumps({name: score(make, x, y, request["splits"]) for name, make in models.items()}), flush=True)
