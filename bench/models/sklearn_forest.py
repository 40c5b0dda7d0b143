"""A scikit-learn forest as the flat arrays that sklearn-forest.ts reads."""

import numpy as np


def flat(model, classes):
    out = {name: [] for name in ("roots", "feature", "threshold", "left", "right", "cover", "leaves")}
    leaves = 0
    for estimator in model.estimators_:
        tree = estimator.tree_
        start = len(out["feature"])
        is_leaf = tree.children_left < 0
        places = leaves + np.cumsum(is_leaf) - 1
        leaves += int(is_leaf.sum())
        values = tree.value[is_leaf][:, 0, :]
        out["roots"].append(start)
        out["feature"].extend(np.where(is_leaf, -1, tree.feature).tolist())
        out["threshold"].extend(np.where(is_leaf, 0.0, tree.threshold).tolist())
        out["left"].extend(np.where(is_leaf, places, start + tree.children_left).tolist())
        out["right"].extend(np.where(is_leaf, 0, start + tree.children_right).tolist())
        out["cover"].extend(tree.weighted_n_node_samples.tolist())
        out["leaves"].extend((values / values.sum(axis=1, keepdims=True) if classes > 1 else values).ravel().tolist())
    return {**out, "outputs": classes}
