"""The files that operators can give to visitors: chosen by supervisors, checked, and sealed."""
