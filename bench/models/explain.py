"""
Explains forests with the shap package (its C implementation), for bench/models/explain.bench.ts. Reads requests, a line
of JSON each, and answers each with a line: {"fit": {...}} trains and gives the trees and some rows, {"explain": n}
explains the first n rows and gives the seconds, {"values": n} their contributions.
"""

import json
import os
import sys
import time
import warnings

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402
import shap  # noqa: E402
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris  # noqa: E402
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor  # noqa: E402
from sklearn_forest import flat  # noqa: E402

DATA = {"iris": load_iris, "breast cancer": load_breast_cancer, "digits": load_digits, "diabetes": load_diabetes}
state = {}


def fit(request):
    features, target = DATA[request["data"]](return_X_y=True)
    # scikit-learn compares float32 values: data that is a float32 already decides alike in float64.
    features = features.astype(np.float32).astype(np.float64)
    kind = RandomForestRegressor if request["data"] == "diabetes" else RandomForestClassifier
    model = kind(request["trees"], max_depth=request["depth"], random_state=1, n_jobs=1).fit(features, target)
    state["explainer"] = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
    state["rows"] = np.resize(features, (request["rows"], features.shape[1]))
    classes = len(getattr(model, "classes_", [0]))
    return {"columns": features.shape[1], "rows": state["rows"].ravel().tolist(), "forest": flat(model, classes)}


def values(count):
    return np.asarray(state["explainer"].shap_values(state["rows"][:count], check_additivity=False))


for line in sys.stdin:
    request = json.loads(line)
    if "fit" in request:
        answer = fit(request["fit"])
    elif "values" in request:
        answer = values(request["values"]).ravel().tolist()
    else:
        start = time.perf_counter()
        values(request["explain"])
        answer = time.perf_counter() - start
    print(json.dumps(answer), flush=True)
