"""Cases appear as conversations in Chatwoot, and what agents answer there reaches the visitor."""
