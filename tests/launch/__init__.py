"""Tests of the way from a fresh clone to a running product."""
