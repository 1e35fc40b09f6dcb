"""The web floor: WSGI applications, and the server that answers for them."""
