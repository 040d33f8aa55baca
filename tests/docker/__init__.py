"""Containers: what they hold, how they start, and who may reach whom."""
