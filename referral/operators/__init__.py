"""The people at the helpline: who they are and how they prove it."""
