"""When is somebody at the helpline? Opening hours, holidays, exceptional openings."""
