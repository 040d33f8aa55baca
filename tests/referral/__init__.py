"""What the helpline desk promises."""
