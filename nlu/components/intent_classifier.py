"""Which intent do the features of a text speak for? Rasa's logistic regression, made quicker to ask."""

from typing import Any, Dict

import numpy as np
from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.logistic_regression_classifier import LogisticRegressionClassifier


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class IntentClassifier(LogisticRegressionClassifier):
    """As its parent, which weighs intents evenly however many phrases each has."""

    @classmethod
    def load(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> "IntentClassifier":
        """Called by Rasa for parsing; raises RuntimeError for a model without weights.

        The parent would load such a model without a word and then fail on every message.
        """
        component: IntentClassifier = super().load(
            config, model_storage, resource, execution_context, **kwargs
        )
        if not hasattr(component.clf, "coef_"):
            raise RuntimeError("The model holds no classifier. Remove it and run `./porchlight train`.")
        # A sparse row times the transposed weights: in this order SciPy needs no copy of all of them (13 MB,
        # a third of the time of a parse) for each message.
        component.clf.coef_ = np.asfortranarray(component.clf.coef_)
        return component
