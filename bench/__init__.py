"""Measures how fast the whole product answers on this machine, and how much memory it takes."""
