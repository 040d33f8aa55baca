"""A model server that understands what its test tells it to: a word in the text decides."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


class FakeRasa:
    """Answers ``POST /model/parse`` as Rasa does."""

    def __init__(
        self, means: Mapping[str, Mapping[str, float]], *, model: str = "nlu-of-a-test.tar.gz"
    ) -> None:
        """``means``: a word, and what a text with it may mean."""
        self._means = means
        self._model = model
        #: Every text it was asked about.
        self.asked: list[str] = []

    def app(self) -> Starlette:
        """Its HTTP side."""
        return Starlette(
            routes=[
                Route("/model/parse", self._parse, methods=["POST"]),
                Route("/status", self._status, methods=["GET"]),
            ]
        )

    async def _status(self, _: Request) -> JSONResponse:
        return JSONResponse({"model_file": self._model, "num_active_training_jobs": 0})

    async def _parse(self, request: Request) -> JSONResponse:
        text = (await request.json())["text"]
        self.asked.append(text)
        guesses = next((found for word, found in self._means.items() if word in text), {"out_of_scope": 0.2})
        ranking = [{"name": name, "confidence": sure} for name, sure in guesses.items()]
        return JSONResponse({"intent_ranking": ranking, "parts": [], "entities": []})
