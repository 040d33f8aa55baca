"""What the helpline tells the bot: a durable, ordered line of signed messages per case."""
