"""How does the intent model stand in Rasa's pipeline?"""

import logging
import os
from pathlib import Path
from typing import Any, Dict, Final, List

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier as RasaClassifier
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.components.intent_model import IntentModel, Mix
from nlu.components.keyed_cache import KeyedCache
from nlu.components.normalisation import normalise
from nlu.components.parts import parts_of
from nlu.components.sentence_encoder import Encodings, SentenceEncoder
from nlu.components.text_normaliser import AS_WRITTEN

logger = logging.getLogger(__name__)

ENCODINGS: Final = Path(__file__).parents[1] / ".rasa" / "encodings.sqlite3"

Ranking = List[Dict[str, Any]]


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class IntentClassifier(RasaClassifier, GraphComponent):
    """Ranks the intents for each message, and for the parts of a long one (`parts` in what Rasa answers)."""

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        """See `Mix`, and scikit-learn's LogisticRegression for `max_iter`."""
        return {
            "meaning": 0.35,
            "temperature": 0.75,
            "sure": 0.8,
            "max_iter": 60,
            "ranking_length": 10,
            "remember": 4096,
        }

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "IntentClassifier":
        """Called by Rasa for training."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> "IntentClassifier":
        """Called by Rasa for parsing; a model that is not whole is refused, never served half."""
        with model_storage.read_from(resource) as folder:
            component = cls(config, model_storage, resource, IntentModel.load(folder))
        component._encoder()
        return component

    def __init__(
        self,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        model: IntentModel | None = None,
    ) -> None:
        """Called through `create` and `load`."""
        self._mix = Mix(
            meaning=float(config["meaning"]),
            temperature=float(config["temperature"]),
            sure=float(config["sure"]),
        )
        self._ranking_length = int(config["ranking_length"])
        self._max_iter = int(config["max_iter"])
        self._model_storage = model_storage
        self._resource = resource
        self._model = model
        self._loaded: SentenceEncoder | None = None
        self._remembered: KeyedCache[List[Ranking]] = KeyedCache(int(config["remember"]))

    def train(self, training_data: TrainingData) -> Resource:
        """Called by Rasa: learns and stores what was learnt in the model."""
        told = [message for message in training_data.intent_examples if message.get(TEXT) is not None]
        texts = [message.get(TEXT) for message in told]
        vectors = Encodings(ENCODINGS).encode(
            texts,
            encoder=self._encoder,
            threads=os.cpu_count() or 1,
            progress=lambda done, total: logger.info("Encoded %d of %d phrases.", done, total),
        )
        logger.info("Learning from %d phrases.", len(texts))
        self._model = IntentModel.fit(
            texts, vectors, [message.get(INTENT) for message in told], max_iter=self._max_iter
        )
        with self._model_storage.write_to(self._resource) as folder:
            self._model.save(folder)
        return self._resource

    def process(self, messages: List[Message]) -> List[Message]:
        """Called by Rasa for each message."""
        for message in messages:
            text = message.get(TEXT)
            if text is None or self._model is None:
                continue
            # The lines that a text was written in are gone from the normalised one.
            written = message.get(AS_WRITTEN) or text
            rankings = self._remembered.get(written)
            if rankings is None:
                parts = [part for part in map(normalise, parts_of(written)) if part]
                rankings = self._remembered.put(written, self._rank(self._model, [text, *parts]))
            message.set(INTENT, rankings[0][0], add_to_output=True)
            message.set("intent_ranking", rankings[0], add_to_output=True)
            message.set("parts", rankings[1:], add_to_output=True)
        return messages

    def _rank(self, model: IntentModel, texts: List[str]) -> List[Ranking]:
        encoder = self._encoder()
        return [
            [
                {"name": model.intents[index], "confidence": float(row[index])}
                for index in np.argsort(-row)[: self._ranking_length]
            ]
            for row in model.guess(texts, encode=encoder.encode_batch, mix=self._mix)
        ]

    def _encoder(self) -> SentenceEncoder:
        if self._loaded is None:
            self._loaded = SentenceEncoder()
        return self._loaded

    @classmethod
    def required_components(cls) -> List[type]:
        """None of Rasa's: it reads the normalised text itself."""
        return []

    @classmethod
    def validate_config(cls, config: Dict[str, Any]) -> None:
        """Called by Rasa; raises ValueError for settings that cannot be."""
        if not (0 <= float(config["meaning"]) <= 1 and float(config["temperature"]) > 0):
            raise ValueError("IntentClassifier: 0 <= `meaning` <= 1 and `temperature` > 0.")
