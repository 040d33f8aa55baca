"""Does the model understand, and does what stands around it hold? Asked over HTTP and processes."""
