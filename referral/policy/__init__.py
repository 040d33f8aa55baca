"""Which rules of the desk can supervisors change while it runs? Clocks, and what reports hide."""
