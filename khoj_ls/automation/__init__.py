"""What khoj-ls does of itself: webhooks. Imported only where the user's settings ask for it."""
