"""The web chat as a visitor meets it: the page and the widget in a real browser."""
