"""Answers stored messages in order and delivers what was decided, whatever crashes meanwhile."""
