"""The pages that operators and supervisors work with."""
