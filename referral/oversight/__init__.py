"""How is everything doing, and what is in force? Asked of the bot, the database and the settings."""
