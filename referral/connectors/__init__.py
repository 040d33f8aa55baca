"""Other systems that the helpline uses are told of its cases here, and never hold up the desk."""
