"""The parts of the Rasa pipeline that are ours: each a pure module and a thin adapter."""
