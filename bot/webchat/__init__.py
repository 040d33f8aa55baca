"""The web chat: a page, a widget for schools, and the HTTP interface behind both."""
