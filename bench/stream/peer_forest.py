"""The forest of the peers: the same rows, 100 trees of depth 10, one thread."""

import csv
import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import numpy as np  # noqa: E402
from sklearn.ensemble import RandomForestClassifier  # noqa: E402


def forest_of(path):
    with open(path, newline="") as file:
        rows = list(csv.reader(file))[1:]
    names = ["setosa", "versicolor", "virginica"]
    features = np.array([[float(value) for value in row[:-1]] for row in rows])
    labels = np.array([names.index(row[-1]) for row in rows])
    return RandomForestClassifier(100, max_depth=10, random_state=1, n_jobs=1).fit(features, labels), names
