"""How good was a talk? Supervisors read closed cases and mark them by a short rubric."""
